# SPDX-License-Identifier: Apache-2.0
"""Writes what people read about settings from their declaration: commented default TOML and reference page.

    python -m smartcockpit.runtime.settings_doc toml canbridge > systemd/config/canbridge.toml
    python -m smartcockpit.runtime.settings_doc markdown canbridge gnss > docs/reference/settings.md

A test compares the committed files with this. Host side only; no daemon imports it.
"""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from smartcockpit.core.record import Field
from smartcockpit.runtime.schema import TYPE_WORDS, Doc, doc_of, fields_of, is_table


def toml_value(value: object) -> str:
    """Return `value` as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, tuple | list):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return str(value)


def default_toml(name: str, settings_type: type[Any]) -> str:
    """Return the default file of daemon `name`.

    every key there, commented out, so that it overrides nothing.
    """
    intro = (
        f"Settings of smartcockpit-{name}, with their defaults. Do not edit: change them in "
        f"/etc/smartcockpit/{name}.toml or a drop-in /etc/smartcockpit/{name}.d/50-mine.toml."
    )
    lines = [
        "# SPDX-License-Identifier: Apache-2.0",
        *_comment(intro),
        f"# In force: cockpitctl config {name}",
        "",
    ]
    lines += _toml_table(settings_type, "")
    return "\n".join(lines).rstrip() + "\n"


def _toml_table(settings_type: Any, header: str) -> Iterator[str]:
    tables = []
    if header:
        yield f"#[{header}]"
    for name, (kind, field) in fields_of(settings_type).items():
        entry = get_args(kind)[1] if get_origin(kind) is dict else None
        if is_table(kind) or is_table(entry):
            tables.append((name, kind, entry, doc_of(field)))
            continue
        yield from _comment(_sentence(doc_of(field)))
        if entry is not None:
            yield f"#{name} = {doc_of(field).example or '{}'}"
        else:
            yield f"#{name} = {toml_value(_default(field))}"
        yield ""
    for name, kind, entry, doc in tables:
        yield from _comment(doc.text)
        full = f"{header}.{name}" if header else name
        yield from _toml_table(
            kind if entry is None else entry, full if entry is None else f"{full}.{doc.example}"
        )


def reference(name: str, settings_type: type[Any]) -> str:
    """Return the reference page's table of settings in Markdown."""
    lines = [f"### smartcockpit-{name}", "", "| key | type | default | meaning |", "|---|---|---|---|"]
    lines += _rows(settings_type, "")
    return "\n".join(lines) + "\n"


def _rows(settings_type: Any, prefix: str) -> Iterator[str]:
    for name, (kind, field) in fields_of(settings_type).items():
        doc = doc_of(field)
        entry = get_args(kind)[1] if get_origin(kind) is dict else None
        if is_table(kind):
            yield from _rows(kind, f"{prefix}{name}.")
        elif is_table(entry):
            yield f"| `[{prefix}{name}.<name>]` | tables | none | {doc.text} |"
            yield from _rows(entry, f"{prefix}{name}.<name>.")
        else:
            default = "none" if entry is not None else f"`{toml_value(_default(field))}`"
            yield f"| `{prefix}{name}` | {_type_words(kind)} | {default} | {_sentence(doc)} |"


def _type_words(kind: Any) -> str:
    if get_origin(kind) is dict:
        return "table"
    if get_origin(kind) is tuple:
        return f"list, each {TYPE_WORDS[get_args(kind)[0]]}"
    return TYPE_WORDS.get(kind, str(kind))


def _sentence(doc: Doc) -> str:
    bounds = f" From {doc.low} to {doc.high}." if doc.low is not None and doc.high is not None else ""
    choices = f" One of: {', '.join(doc.choices)}." if doc.choices else ""
    return doc.text + bounds + choices


def _default(field: Field) -> object:
    return field.fresh()


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 108)]


def main(arguments: list[str]) -> int:
    """Print the default TOML of one daemon, or the reference page of several."""
    form, *names = arguments
    write = default_toml if form == "toml" else reference
    types = [importlib.import_module(f"smartcockpit.daemons.{name}.settings").Settings for name in names]
    print("\n".join(write(*pair) for pair in zip(names, types, strict=True)), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
