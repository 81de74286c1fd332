# SPDX-License-Identifier: Apache-2.0
"""A terminal's picture as SVG that any viewer draws alike: every sign at its own place, no fonts from afar.

Blocks and lines of the box-drawing kind are drawn, not written, so that they meet whatever the font.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

from rich.console import Console, RenderableType
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import MONOKAI, TerminalTheme

CELL_W, CELL_H, MARGIN, BASELINE = 9.0, 19.0, 14.0, 14.0
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
BLOCKS = {"█": (0.0, 1.0), "▀": (0.0, 0.5), "▄": (0.5, 0.5)}
"""Sign → (top, height), in parts of a cell."""
LINES = {"─": "WE", "━": "WE", "│": "NS", "╭": "ES", "╮": "WS", "╰": "EN", "╯": "WN"}
"""Sign → the edges of the cell that it joins."""


def svg(picture: RenderableType, width: int, height: int, theme: TerminalTheme = MONOKAI) -> str:
    """Return `picture` on a terminal of `width` × `height` cells."""
    console = Console(width=width, height=height, force_terminal=True, color_system="truecolor", _environ={})
    lines = console.render_lines(picture, pad=False)[:height]
    full_w, full_h = width * CELL_W + 2 * MARGIN, len(lines) * CELL_H + 2 * MARGIN
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {full_w:g} {full_h:g}" font-size="15"'
        f' font-family="{FONT}">',
        "<title>The live view of make run</title>",
        f'<rect width="{full_w:g}" height="{full_h:g}" rx="9" fill="#{_hex(theme.background_color)}"/>',
    ]
    for row, line in enumerate(lines):
        out += _row(line, MARGIN + row * CELL_H, theme)
    return "\n".join([*out, "</svg>"]) + "\n"


def _row(line: list[Segment], y: float, theme: TerminalTheme) -> Iterator[str]:
    x = MARGIN
    for text, style, _ in line:
        colour, weight = _paint(style, theme)
        words = ""
        for number, sign in enumerate(text):
            at = x + number * CELL_W
            if sign in BLOCKS:
                top, part = BLOCKS[sign]
                yield (
                    f'<rect x="{at:g}" y="{y + top * CELL_H:g}" width="{CELL_W + 0.4:g}"'
                    f' height="{part * CELL_H + 0.3:g}" fill="{colour}"/>'
                )
            elif sign in LINES:
                yield _line(sign, at, y, colour)
            elif sign != " ":
                words += f'<tspan x="{at:g}">{escape(sign)}</tspan>' if not sign.isascii() else ""
        yield from _words(text, x, y, colour, weight)
        if words:
            yield f'<text y="{y + BASELINE:g}" fill="{colour}"{weight}>{words}</text>'
        x += len(text) * CELL_W


def _words(text: str, x: float, y: float, colour: str, weight: str) -> Iterator[str]:
    """Yield the ASCII words of `text`, each with the place of every sign."""
    start = 0
    for end in range(len(text) + 1):
        if end < len(text) and text[end].isascii() and text[end] != " ":
            continue
        if end > start:
            places = " ".join(f"{x + n * CELL_W:g}" for n in range(start, end))
            word = escape(text[start:end])
            yield f'<text x="{places}" y="{y + BASELINE:g}" fill="{colour}"{weight}>{word}</text>'
        start = end + 1


def _line(sign: str, x: float, y: float, colour: str) -> str:
    mid_x, mid_y = x + CELL_W / 2, y + CELL_H / 2
    ends = {"W": (x, mid_y), "E": (x + CELL_W, mid_y), "N": (mid_x, y), "S": (mid_x, y + CELL_H)}
    (x1, y1), (x2, y2) = (ends[edge] for edge in LINES[sign])
    path = f"M{x1:g} {y1:g}Q{mid_x:g} {mid_y:g} {x2:g} {y2:g}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{2.4 if sign == "━" else 1.2:g}"/>'


def _paint(style: Style | None, theme: TerminalTheme) -> tuple[str, str]:
    colour = _hex(theme.foreground_color)
    if style is not None and style.color is not None and not style.color.is_default:
        colour = _hex(style.color.get_truecolor(theme))
    faint = ' opacity="0.6"' if style is not None and style.dim else ""
    return f"#{colour}", faint + (' font-weight="bold"' if style is not None and style.bold else "")


def _hex(colour: tuple[int, int, int]) -> str:
    return "".join(f"{part:02x}" for part in colour)
