# SPDX-License-Identifier: Apache-2.0
"""The formula language: what KUKSA's users write works, everything else is refused with the column."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.core import formula_functions
from smartcockpit.core.formula import FormulaError, linear, parse_formula, to_python


def value(text: str, x: float) -> float:
    names = {
        name: getattr(formula_functions, name) for name in dir(formula_functions) if name.startswith("fn_")
    }
    return eval(to_python(parse_formula(text), "x"), {"__builtins__": {"bool": bool}, **names}, {"x": x})


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("floor(x+0.5)", 2.5, 3),
        ("floor((x*40)-100)", 3.3, 32),
        ("(x+100)/40", 20, 3.0),
        ("floor(abs(x/5))", -12, 2),
        ("-x^2", 3, -9),
        ("2**3**2", 0, 512),
        ("x % 3", 7, 1),
        ("if(x > 3, 1, 0)", 4, 1),
        ("x > 0 and x < 5", 4, True),
        ("not (x == 1)", 1, False),
        ("1 xor 1", 0, False),
        ("min(x, 3, 2)", 5, 2),
        ("round(x)", 2.6, 3),
        ("sind(90)", 0, 1.0),
        ("PI", 0, math.pi),
        ("pow(x, 2)", 3, 9.0),
        ("1e3 * x", 2, 2000),
        ("log(E)", 0, 1.0),
    ],
)
def test_value(text, x, expected):
    assert value(text, x) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x", (1, 0)),
        ("(x+100)/40", (Fraction(1, 40), Fraction(5, 2))),
        ("x*0.1 - 40", (Fraction(1, 10), -40)),
        ("-(2*x)", (-2, 0)),
        ("x - x/2", (Fraction(1, 2), 0)),
        ("3", (0, 3)),
        ("floor(x)", None),
        ("x*x", None),
        ("1/x", None),
        ("x/0", None),
        ("x > 1", None),
        ("x*PI", None),
    ],
)
def test_linear_formulas_are_recognised_exactly(text, line):
    assert linear(parse_formula(text)) == line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "column 1"),
        ("x +", "column 4"),
        ("y * 2", "unknown name 'y'"),
        ("flor(x)", "unknown name 'flor'"),
        ("random()", "unknown name 'random'"),
        ("__import__(1)", "unknown name"),
        ("x; 1", "unexpected character"),
        ("x.real", "unexpected"),
        ("x[0]", "unexpected character"),
        ("min()", "expected a value"),
        ("(x", "expected ')'"),
        ("1e999", "number out of range"),
        ("(" * 100 + "x", "deeply"),
        ("x" * 2000, "characters"),
        ("abs(1,2)", "arguments"),
        ("2" + "^x" * 80, "deeply"),
    ],
)
def test_refused_with_place(text, said):
    with pytest.raises(FormulaError) as caught:
        parse_formula(text)
    assert said in caught.value.message


def test_misspelt_function_gets_a_hint():
    with pytest.raises(FormulaError) as caught:
        parse_formula("flor(x)")
    assert "floor" in caught.value.hint


@given(text=st.text(alphabet="x1.e+-*/%^()<>=!, andorfl", max_size=40))
def test_any_text_is_parsed_or_refused(text):
    try:
        written = to_python(parse_formula(text), "x")
    except FormulaError:
        return
    compile(written, "formula", "eval")
