# SPDX-License-Identifier: Apache-2.0
"""Python source of one signal's way from raw number to value.

Owns the arithmetic (exact where numbers are rational) and the range conditions. When a value is looked at and
forwarded is `updater_source`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from smartcockpit.core.formula import to_python
from smartcockpit.core.plan import Computed, Linear, MappedSignal, Table
from smartcockpit.core.signals import INTEGER_LIMITS, Datatype

_EXACT = 1 << 50
"""Above this numerators and denominators are left to floating point."""


@dataclass(frozen=True, slots=True)
class ConversionSource:
    """How to write one conversion.

    `definitions` go to module level. With `lookup` the expression `value` may yield None for invalid;
    otherwise `condition` ("" for always) says whether `value` may be computed. `one_to_one`: other raw,
    other value.
    """

    value: str
    condition: str = ""
    definitions: tuple[str, ...] = ()
    lookup: bool = False
    one_to_one: bool = True


def conversion_source(signal: MappedSignal, raw: str, is_float: bool) -> ConversionSource:
    """Return the source for `signal`, whose raw value (a float when `is_float`) is the local variable
    `raw`.
    """
    conversion = signal.conversion
    if isinstance(conversion, Table):
        return _table(signal, conversion, raw)
    if isinstance(conversion, Computed):
        return _computed(signal, conversion, raw)
    return _linear(signal.spec.datatype, conversion, raw, is_float)


def _table(signal: MappedSignal, table: Table, raw: str) -> ConversionSource:
    name = f"VALUES_{signal.index}"
    rows = ", ".join(f"{number}: {value!r}" for number, value in table.values)
    one_to_one = len({value for _, value in table.values}) == len(table.values)
    return ConversionSource(f"{name}({raw})", "", (f"{name} = {{{rows}}}.get",), True, one_to_one)


def _linear(datatype: Datatype, line: Linear, raw: str, is_float: bool) -> ConversionSource:
    condition = _between(line.low, raw, line.high)
    if line.invalid:
        unequal = f"{raw} not in {line.invalid!r}" if len(line.invalid) > 1 else f"{raw} != {line.invalid[0]}"
        condition = f"{condition} and {unequal}" if condition else unequal
    exact = whole_numbers(line, is_float)
    if exact is None:
        value = _sum(raw, float(line.scale), float(line.offset))
        if datatype is Datatype.BOOLEAN:
            value = f"bool({value})"
        elif datatype.is_integer:
            value = f"floor({value} + 0.5)"
        return ConversionSource(value, condition, one_to_one=False)
    top, shift, divisor = exact
    whole = _sum(raw, top, shift)
    if datatype is Datatype.BOOLEAN:
        return ConversionSource(f"{whole} == {divisor}", condition)
    if datatype.is_integer:
        if divisor == 1:
            return ConversionSource(whole, condition)
        doubled = _sum(raw, 2 * top, 2 * shift + divisor)
        return ConversionSource(f"({doubled}) // {2 * divisor}", condition, one_to_one=False)
    inner = whole if whole == raw else f"({whole})"
    return ConversionSource(f"{inner} / {divisor}", condition)


def whole_numbers(line: Linear, is_float: bool) -> tuple[int, int, int] | None:
    """Return (top, shift, divisor) with value = (raw · top + shift) / divisor.

    None where that is left to floating point: for raw floats, and beyond 2^50.
    """
    bottom = line.scale.denominator * line.offset.denominator
    divisor = _reduced(line.scale * bottom, line.offset * bottom, bottom)
    top, shift = int(line.scale * divisor), int(line.offset * divisor)
    if is_float or abs(top) > _EXACT or abs(shift) > _EXACT or divisor > _EXACT:
        return None
    return top, shift, divisor


def _computed(signal: MappedSignal, way: Computed, raw: str) -> ConversionSource:
    name, datatype = f"formula_{signal.index}", signal.spec.datatype
    lines = [f"def {name}(raw):", f"    x = {_sum('raw', way.scale, way.offset)}"]
    if outside := _between(*_around(way.x_limits, "x")):
        lines += [f"    if not {outside}:", "        return None"]
    lines += ["    try:", f"        value = {to_python(way.formula, 'x')}"]
    if datatype is Datatype.BOOLEAN:
        lines += ["        value = bool(value)"]
    elif datatype.is_integer:
        lines += ["        value = floor(value + 0.5)"]
    else:
        lines += ["        value = float(value)"]
    lines += ["    except (ArithmeticError, ValueError, TypeError):", "        return None"]
    limits = way.limits
    if datatype in INTEGER_LIMITS:
        low, high = INTEGER_LIMITS[datatype]
        limits = (max(low, _or(limits[0], low)), min(high, _or(limits[1], high)))
    elif datatype.is_number:
        limits = (_or(limits[0], -1.7e308), _or(limits[1], 1.7e308))
    bounds = _between(*_around(limits, "value"))
    lines += [f"    return value if {bounds} else None" if bounds else "    return value"]
    return ConversionSource(f"{name}({raw})", "", ("\n".join(lines),), True, False)


def _or(limit: float | None, otherwise: float) -> float:
    return otherwise if limit is None else limit


def _around(limits: tuple[float | None, float | None], name: str) -> tuple[float | None, str, float | None]:
    return limits[0], name, limits[1]


def _reduced(top: Fraction, shift: Fraction, bottom: int) -> int:
    """Return the smallest divisor that keeps numerator and shift whole."""
    from math import gcd

    common = gcd(int(top), int(shift), bottom)
    return bottom // common if common else bottom


def _sum(raw: str, factor: float, shift: float) -> str:
    """Return the text of raw · factor + shift without what changes nothing."""
    text = raw if factor == 1 else f"{raw} * {factor!r}"
    if shift == 0:
        return text
    return f"{text} + {shift!r}" if shift > 0 else f"{text} - {-shift!r}"


def _between(low: float | None, name: str, high: float | None) -> str:
    left = "" if low is None else f"{low!r} <= "
    right = "" if high is None else f" <= {high!r}"
    return f"{left}{name}{right}" if left or right else ""
