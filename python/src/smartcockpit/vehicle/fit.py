# SPDX-License-Identifier: Apache-2.0
"""Does the DBC signal fit the VSS leaf? Turns a mapping into a checked conversion.

Owns the checks of unit, datatype, limits and enumerations, and the exact arithmetic of ranges in raw numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from math import ceil, floor

from smartcockpit.core.errors import ConfigError
from smartcockpit.core.formula import linear
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.plan import Computed, Conversion, FieldPlan, Linear, Table
from smartcockpit.core.signals import INTEGER_LIMITS, Datatype, Scalar, SignalSpec
from smartcockpit.vehicle.database import DbcSignal
from smartcockpit.vehicle.mapping import SignalMapping
from smartcockpit.vehicle.units import canonical, factor, quantity

_NOT_A_VALUE = re.compile(
    r"sna|n/?a|(signal[_ ]?)?not[_ ]?(available|valid|avail)|unavailable|invalid"
    r"|error|fault|unknown|undefined",
    re.I,
)
"""Names in a value table that mark a number as no measurement."""

_FLOAT_LIMIT = 1.7e308


def fit(mapping: SignalMapping, field: FieldPlan, signal: DbcSignal, unit_quantity: str | None) -> Conversion:
    """Return the conversion of `mapping`; `ConfigError` with place and hint when it cannot be right."""
    spec = mapping.spec
    if spec.datatype is Datatype.STRING_ARRAY:
        raise ConfigError(f"{mapping.place}: {spec.path} is an array, a CAN signal cannot hold one")
    if field.scale == 0:
        raise ConfigError(f"{mapping.place}: DBC signal {signal.name} has the factor 0", "correct the DBC")
    if mapping.table is not None:
        return Table(_table_rows(mapping, field, signal))
    if spec.datatype is Datatype.STRING:
        return Table(_names(mapping, signal))
    convert = factor(mapping.unit, spec.unit) if mapping.unit != spec.unit else Fraction(1)
    if convert is None:
        raise ConfigError(
            f"{mapping.place}: {spec.path} is in {spec.unit or 'no unit'}, the file says {mapping.unit}",
            "add a transform that converts it and leave unit: out",
        )
    _check_unit(mapping, signal, unit_quantity)
    scale, offset = _exact(field.scale), _exact(field.offset)
    straight = (Fraction(1), Fraction(0)) if mapping.formula is None else linear(mapping.formula)
    if straight is None:
        assert mapping.formula is not None
        return Computed(
            mapping.formula,
            field.scale,
            field.offset,
            (signal.minimum, signal.maximum),
            (spec.minimum, spec.maximum),
        )
    a, b = straight[0] * convert, straight[1] * convert
    if a == 0:
        raise ConfigError(f"{mapping.place}: the formula of {spec.path} does not depend on x")
    line = a * scale, a * offset + b
    _check_range(mapping, field, signal, line)
    low, high = _raw_limits(spec, field, signal, line, (scale, offset))
    return Linear(line[0], line[1], low, high, _no_values(field, signal, low, high))


def _no_values(
    field: FieldPlan, signal: DbcSignal, low: int | float | None, high: int | float | None
) -> tuple[int, ...]:
    """Return the raw numbers inside the limits whose name says that they are no measurement."""
    if field.place.is_float:
        return ()
    named = sorted(raw for raw, name in signal.names.items() if _NOT_A_VALUE.fullmatch(name.strip()))
    return tuple(raw for raw in named if (low is None or raw >= low) and (high is None or raw <= high))


def _exact(value: int | float) -> Fraction:
    """Return the decimal number that a DBC's author wrote."""
    return Fraction(str(value)) if isinstance(value, float) else Fraction(value)


def _check_unit(mapping: SignalMapping, signal: DbcSignal, unit_quantity: str | None) -> None:
    """Without a transform the DBC's unit, when we know it, must be the one that the VSS leaf has."""
    dbc_unit = canonical(signal.unit)
    if mapping.formula is not None or dbc_unit is None or not mapping.unit or dbc_unit == mapping.unit:
        return
    spec, where = mapping.spec, f"{mapping.place}: {mapping.spec.path} ({mapping.unit})"
    other = quantity(dbc_unit)
    if other and unit_quantity and other != unit_quantity:
        raise ConfigError(
            f"{where} is a {unit_quantity}, DBC signal {signal.name} ({signal.unit}) is a {other}",
            "map another signal, or convert with transform: {math: …}",
        )
    ratio = factor(dbc_unit, spec.unit)
    recipe = f"transform: {{math: 'x*{float(ratio):.10g}'}}" if ratio else "transform: {math: …}"
    raise ConfigError(
        f"{where} is fed by DBC signal {signal.name} in {signal.unit}", f"convert with {recipe}"
    )


def _ends(values: Iterable[Fraction]) -> tuple[Fraction, Fraction]:
    known = list(values)
    return min(known), max(known)


def _check_range(
    mapping: SignalMapping, field: FieldPlan, signal: DbcSignal, line: tuple[Fraction, Fraction]
) -> None:
    """The range that the DBC declares must fit into the VSS datatype."""
    datatype = mapping.spec.datatype
    if field.place.is_float or not (datatype.is_integer or datatype is Datatype.BOOLEAN):
        return
    scale, offset = _exact(field.scale), _exact(field.offset)
    declared = signal.minimum is not None and signal.maximum is not None
    if declared:
        raws = [(_exact(limit) - offset) / scale for limit in (signal.minimum or 0, signal.maximum or 0)]
    elif datatype is Datatype.BOOLEAN:
        raws = [Fraction(limit) for limit in field.place.raw_limits]
    else:
        return
    low, high = _ends(raw * line[0] + line[1] for raw in raws)
    least, most = (0, 1) if datatype is Datatype.BOOLEAN else INTEGER_LIMITS[datatype]
    if low < least or high > most:
        hint = "say what each value means with transform: mapping:"
        if datatype is not Datatype.BOOLEAN:
            hint = "convert with transform: {math: …}, or correct the range in the DBC"
        raise ConfigError(
            f"{mapping.place}: {mapping.spec.path} is {datatype} ({least} … {most}), DBC signal"
            f" {signal.name} ranges from {float(low):g} to {float(high):g}",
            hint,
        )


def _raw_limits(
    spec: SignalSpec, field: FieldPlan, signal: DbcSignal, line: tuple[Fraction, Fraction],
    dbc: tuple[Fraction, Fraction],
) -> tuple[int | float | None, int | float | None]:  # fmt: skip
    """Return the raw limits that keep the value inside DBC, VSS and datatype limits; None where the bits
    do.
    """
    low, high = Fraction(-(10**400)), Fraction(10**400)
    for (factor_, shift), least, most in (
        (dbc, signal.minimum, signal.maximum),
        (line, spec.minimum, spec.maximum),
        (line, *_datatype_limits(spec.datatype)),
    ):
        for limit, is_least in ((least, True), (most, False)):
            if limit is None:
                continue
            raw = ((limit if isinstance(limit, Fraction) else _exact(limit)) - shift) / factor_
            if is_least == (factor_ > 0):
                low = max(low, raw)
            else:
                high = min(high, raw)
    if field.place.is_float:
        return max(float(max(low, -_big())), -_FLOAT_LIMIT), min(float(min(high, _big())), _FLOAT_LIMIT)
    first, last = field.place.raw_limits
    least_raw, most_raw = ceil(max(low, Fraction(first - 1))), floor(min(high, Fraction(last + 1)))
    return (least_raw if least_raw > first else None), (most_raw if most_raw < last else None)


def _big() -> Fraction:
    return Fraction(_FLOAT_LIMIT)


def _datatype_limits(datatype: Datatype) -> tuple[Fraction | None, Fraction | None]:
    """Limits before rounding to whole numbers."""
    if datatype is Datatype.BOOLEAN:
        return Fraction(0), Fraction(1)
    if datatype.is_integer:
        low, high = INTEGER_LIMITS[datatype]
        return low - Fraction(1, 2), high + Fraction(499_999, 1_000_000)
    return None, None


def _table_rows(
    mapping: SignalMapping, field: FieldPlan, signal: DbcSignal
) -> tuple[tuple[int, Scalar], ...]:
    """Return the `from`/`to` rows with `from` as raw number; the first of equal ones counts, as in KUKSA."""
    assert mapping.table is not None
    if field.place.is_float:
        raise ConfigError(
            f"{mapping.place}: {mapping.spec.path}: a mapping needs whole numbers, {signal.name} is float"
        )
    rows: dict[int, Scalar] = {}
    for source, target, place in mapping.table:
        rows.setdefault(_raw_of(source, field, signal, place), checked_value(mapping.spec, target, place))
    return tuple(sorted(rows.items()))


def _raw_of(source: Scalar, field: FieldPlan, signal: DbcSignal, place: object) -> int:
    by_name = {name: raw for raw, name in reversed(list(signal.names.items()))}
    if isinstance(source, str):
        if source not in by_name:
            hint = did_you_mean(source, by_name, "the value table (VAL_) of the DBC lists the names")
            raise ConfigError(f"{place}: DBC signal {signal.name} has no value called {source!r}", hint)
        return by_name[source]
    if isinstance(source, bool) and by_name:
        raise ConfigError(f"{place}: from: is a truth value", "put names such as 'ON' or 'OFF' in quotes")
    raw = (_exact(source) - _exact(field.offset)) / _exact(field.scale)
    low, high = field.place.raw_limits
    if raw.denominator != 1 or not low <= raw <= high:
        raise ConfigError(f"{place}: DBC signal {signal.name} never has the value {source!r}")
    if int(raw) in signal.names:
        name = signal.names[int(raw)]
        raise ConfigError(
            f"{place}: {source!r} of DBC signal {signal.name} is called {name!r}", "use the name"
        )
    return int(raw)


def checked_value(spec: SignalSpec, value: Scalar, place: object) -> Scalar:
    """Return `value` if the leaf may hold it; `ConfigError` otherwise."""
    datatype = spec.datatype
    if datatype is Datatype.STRING:
        if isinstance(value, bool):
            raise ConfigError(
                f"{place}: {spec.path} is a string", "put names such as 'ON' or 'OFF' in quotes"
            )
        if spec.allowed and value not in spec.allowed:
            hint = did_you_mean(str(value), spec.allowed, "allowed are " + ", ".join(spec.allowed))
            raise ConfigError(f"{place}: {spec.path} may not be {value!r}", hint)
        return str(value)
    if datatype is Datatype.BOOLEAN:
        if not isinstance(value, bool):
            raise ConfigError(
                f"{place}: {spec.path} is boolean, not {value!r}", "true or false, without quotes"
            )
        return value
    if isinstance(value, str | bool):
        raise ConfigError(
            f"{place}: {spec.path} is {datatype}, not {value!r}", "write a number without quotes"
        )
    low, high = INTEGER_LIMITS.get(datatype, (-_FLOAT_LIMIT, _FLOAT_LIMIT))
    low = low if spec.minimum is None else max(low, spec.minimum)
    high = high if spec.maximum is None else min(high, spec.maximum)
    if not low <= value <= high or (datatype.is_integer and value != int(value)):
        raise ConfigError(f"{place}: {spec.path} is {datatype} from {low:g} to {high:g}, not {value!r}")
    return int(value) if datatype.is_integer else float(value)


def _names(mapping: SignalMapping, signal: DbcSignal) -> tuple[tuple[int, Scalar], ...]:
    """A string leaf without a mapping takes the DBC's names; each must be allowed."""
    spec = mapping.spec
    if mapping.formula is not None or not signal.names:
        raise ConfigError(
            f"{mapping.place}: {spec.path} is a string, DBC signal {signal.name} gives numbers",
            "say what each value means with transform: mapping:",
        )
    usable = {raw: name for raw, name in signal.names.items() if not spec.allowed or name in spec.allowed}
    for raw, name in signal.names.items():
        if raw not in usable and not _NOT_A_VALUE.fullmatch(name.strip()):
            raise ConfigError(
                f"{mapping.place}: {spec.path} may not be {name!r}, a value of DBC signal {signal.name}",
                "translate it with transform: mapping:; allowed are " + ", ".join(spec.allowed),
            )
    return tuple(sorted(usable.items()))
