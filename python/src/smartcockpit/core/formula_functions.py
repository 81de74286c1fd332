# SPDX-License-Identifier: Apache-2.0
"""What the functions of a mapping's formula do when a generated vehicle table runs.

Owns the `fn_…` names that `smartcockpit.core.formula.to_python` writes. Each takes and returns numbers and
raises ArithmeticError, ValueError or TypeError outside its domain, which the updater turns into quality
`invalid`.
"""

from __future__ import annotations

import math

fn_abs = abs
fn_min = min
fn_max = max
fn_ceil = math.ceil
fn_floor = math.floor
fn_exp = math.exp
fn_sqrt = math.sqrt
fn_sin, fn_cos, fn_tan = math.sin, math.cos, math.tan
fn_asin, fn_acos, fn_atan, fn_atan2 = math.asin, math.acos, math.atan, math.atan2
fn_log = math.log


def fn_round(x: float) -> int:
    """Return the nearest whole number, halves to even, as Python does."""
    return round(x)


def fn_pow(base: float, exponent: float) -> float:
    """Return base to the power of exponent as a float; raises instead of growing without bound or going
    complex.
    """
    return math.pow(base, exponent)


def fn_sind(x: float) -> float:
    """Return the sine of x degrees."""
    return math.sin(math.radians(x))


def fn_cosd(x: float) -> float:
    """Return the cosine of x degrees."""
    return math.cos(math.radians(x))


def fn_tand(x: float) -> float:
    """Return the tangent of x degrees."""
    return math.tan(math.radians(x))


def fn_asind(x: float) -> float:
    """Return the arc sine in degrees."""
    return math.degrees(math.asin(x))


def fn_acosd(x: float) -> float:
    """Return the arc cosine in degrees."""
    return math.degrees(math.acos(x))


def fn_atand(x: float) -> float:
    """Return the arc tangent in degrees."""
    return math.degrees(math.atan(x))
