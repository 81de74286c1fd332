# SPDX-License-Identifier: Apache-2.0
"""The formula language of a mapping's `math:` transform, parsed into a tree; never evaluated as Python
source text.

The language is the one that users of KUKSA's CAN provider write (py-expression-eval 0.3.14, one variable
`x` = the physical value): + - * / % and both powers ^ **, comparisons, and, or, xor, not, functions and the
constants PI and E. Left out on purpose: `random` (a signal is no dice), `||`, `concat` and `in` (texts),
`pyt` and `fac` (nobody maps with them). What the functions do is `smartcockpit.core.formula_functions`'
business.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.nearest import did_you_mean

FUNCTIONS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("abs", "ceil", "floor", "round", "sqrt", "exp"), (1, 1)),
    **dict.fromkeys(("sin", "cos", "tan", "asin", "acos", "atan"), (1, 1)),
    **dict.fromkeys(("sind", "cosd", "tand", "asind", "acosd", "atand"), (1, 1)),
    "log": (1, 2), "pow": (2, 2), "atan2": (2, 2), "if": (3, 3), "min": (1, 16), "max": (1, 16),
}  # fmt: skip
"""Function names with the least and greatest number of arguments."""

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|[=!<>]=|[-+*/%^<>(),!]))"
)
_COMPARISONS = {"==", "!=", "<", "<=", ">", ">="}
_CONSTANTS = {"PI": math.pi, "E": math.e}
_MAX_LENGTH, _MAX_DEPTH = 1000, 50


@dataclass(frozen=True, slots=True)
class Number:
    """A constant, exact as written."""

    value: Fraction | float


@dataclass(frozen=True, slots=True)
class Variable:
    """The `x` of the formula."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or function over `parts`; unary minus is `neg`."""

    name: str
    parts: tuple[Node, ...]


Node = Number | Variable | Operation


class FormulaError(ConfigError):
    """A formula that cannot be used; the message has the column, the caller adds file and line."""


class _Parser:
    """Recursive descent; binding from loose to tight: or xor, and, not, comparison, + -, * / %, sign,
    power.
    """

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise FormulaError(f"formula of {len(text)} characters, {_MAX_LENGTH} are allowed")
        self.text, self.at, self.depth = text, 0, 0
        self.tokens: list[tuple[str, str, int]] = []
        position, stripped = 0, text.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if match is None:
                raise self.error("unexpected character", position)
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        self.tokens.append(("end", "end of formula", len(stripped)))

    def error(self, what: str, column: int | None = None, hint: str = "") -> FormulaError:
        where = self.tokens[self.at][2] if column is None else column
        return FormulaError(f"{what} in formula {self.text!r}, column {where + 1}", hint)

    def take(self, *signs: str) -> str | None:
        kind, text, _ = self.tokens[self.at]
        if kind in ("sign", "name") and text in signs:
            self.at += 1
            return text
        return None

    def expect(self, sign: str) -> None:
        if self.take(sign) is None:
            raise self.error(f"expected {sign!r}, found {self.tokens[self.at][1]!r}")

    def whole(self) -> Node:
        node = self.either()
        if self.tokens[self.at][0] != "end":
            raise self.error(f"unexpected {self.tokens[self.at][1]!r}")
        return node

    def either(self) -> Node:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise self.error("too deeply nested")
        node = self.both()
        while name := self.take("or", "xor"):
            node = Operation(name, (node, self.both()))
        self.depth -= 1
        return node

    def both(self) -> Node:
        node = self.negation()
        while self.take("and"):
            node = Operation("and", (node, self.negation()))
        return node

    def negation(self) -> Node:
        count = 0
        while self.take("not", "!"):
            count += 1
        node = self.comparison()
        for _ in range(count):
            node = Operation("not", (node,))
        return node

    def comparison(self) -> Node:
        node = self.total()
        while name := self.take(*_COMPARISONS):
            node = Operation(name, (node, self.total()))
        return node

    def total(self) -> Node:
        node = self.product()
        while name := self.take("+", "-"):
            node = Operation(name, (node, self.product()))
        return node

    def product(self) -> Node:
        node = self.signed()
        while name := self.take("*", "/", "%"):
            node = Operation(name, (node, self.signed()))
        return node

    def signed(self) -> Node:
        minus = 0
        while name := self.take("-", "+"):
            minus += name == "-"
        node = self.power()
        return Operation("neg", (node,)) if minus % 2 else node

    def power(self) -> Node:
        base = self.atom()
        if self.take("^", "**"):
            self.depth += 1
            if self.depth > _MAX_DEPTH:
                raise self.error("too deeply nested")
            exponent = self.signed()
            self.depth -= 1
            return Operation("pow", (base, exponent))
        return base

    def atom(self) -> Node:
        kind, text, _ = self.tokens[self.at]
        if kind == "number":
            self.at += 1
            if len(text) > 40 or abs(int((text.lower() + "e0").split("e")[1])) > 300:
                raise self.error("number out of range")
            return Number(Fraction(text))
        if self.take("("):
            node = self.either()
            self.expect(")")
            return node
        if kind != "name":
            raise self.error(f"expected a value, found {text!r}")
        self.at += 1
        if text == "x":
            return Variable()
        if text in _CONSTANTS:
            return Number(_CONSTANTS[text])
        return self.call(text)

    def call(self, name: str) -> Node:
        self.at -= 1
        if name not in FUNCTIONS:
            hint = did_you_mean(name, [*FUNCTIONS, *_CONSTANTS], "the only variable is x, the physical value")
            raise self.error(f"unknown name {name!r}", hint=hint)
        self.at += 1
        self.expect("(")
        parts = [self.either()]
        while self.take(","):
            parts.append(self.either())
        self.expect(")")
        least, most = FUNCTIONS[name]
        if not least <= len(parts) <= most:
            raise self.error(f"{name}() takes {least} to {most} arguments, not {len(parts)}")
        return Operation(name, tuple(parts))


def parse_formula(text: str) -> Node:
    """Return the tree of `text`; raises `FormulaError` with column and hint."""
    return _Parser(text).whole()


def linear(node: Node) -> tuple[Fraction, Fraction] | None:
    """Return (a, b) when the formula is exactly a·x + b with rational a and b, else None."""
    if isinstance(node, Variable):
        return Fraction(1), Fraction(0)
    if isinstance(node, Number):
        return (Fraction(0), node.value) if isinstance(node.value, Fraction) else None
    sides = [linear(part) for part in node.parts]
    if None in sides:
        return None
    (a, b), *rest = [side for side in sides if side is not None]
    if node.name == "neg":
        return -a, -b
    if not rest:
        return None
    c, d = rest[0]
    if node.name in ("+", "-"):
        sign = 1 if node.name == "+" else -1
        return a + sign * c, b + sign * d
    if node.name == "*" and (a == 0 or c == 0):
        return a * d + b * c, b * d
    if node.name == "/" and c == 0 and d != 0:
        return a / d, b / d
    return None


_INFIX = {"+", "-", "*", "/", "%", "and", "or", *_COMPARISONS}


def to_python(node: Node, variable: str) -> str:
    """Return the formula as a Python expression over `variable`, made of our own tokens alone.

    Functions are named `fn_<name>` and live in `smartcockpit.core.formula_functions`.
    """
    if isinstance(node, Variable):
        return variable
    if isinstance(node, Number):
        value = node.value
        return (
            str(value.numerator)
            if isinstance(value, Fraction) and value.denominator == 1
            else repr(float(value))
        )
    parts = [to_python(part, variable) for part in node.parts]
    if node.name == "neg":
        return f"(-{parts[0]})"
    if node.name == "not":
        return f"(not {parts[0]})"
    if node.name == "xor":
        return f"(bool({parts[0]}) != bool({parts[1]}))"
    if node.name == "if":
        return f"({parts[1]} if {parts[0]} else {parts[2]})"
    if node.name in _INFIX:
        return f"({parts[0]} {node.name} {parts[1]})"
    return f"fn_{node.name}({', '.join(parts)})"
