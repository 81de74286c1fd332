# SPDX-License-Identifier: Apache-2.0
"""Does a DBC unit go with a VSS unit? Spellings that people use, and factors between units of one quantity.

Owns the comparison only. VSS defines no conversion factors; these are SI's and NIST SP 811's. A DBC unit
that is not listed is no reason to refuse anything.
"""

from __future__ import annotations

from fractions import Fraction

SPELLINGS: dict[str, str] = {
    "kph": "km/h", "kmh": "km/h", "km/h": "km/h", "kmph": "km/h", "mph": "mph", "mi/h": "mph", "m/s": "m/s",
    "mps": "m/s", "m/s2": "m/s^2", "m/s^2": "m/s^2", "m/s²": "m/s^2", "m/ss": "m/s^2", "g": "g_earth",
    "km": "km", "m": "m", "cm": "cm", "mm": "mm", "mi": "mile", "mile": "mile", "miles": "mile", "in": "inch",
    "c": "Celsius", "°c": "Celsius", "degc": "Celsius", "deg c": "Celsius", "celsius": "Celsius",
    "deg_c": "Celsius",
    "f": "Fahrenheit", "°f": "Fahrenheit", "degf": "Fahrenheit", "k": "Kelvin",
    "deg": "degrees", "°": "degrees", "degree": "degrees", "degrees": "degrees", "rad": "rad",
    "deg/s": "degrees/s", "°/s": "degrees/s", "degrees/s": "degrees/s", "rad/s": "rad/s",
    "deg/sec": "degrees/s",
    "rpm": "rpm", "1/min": "rpm", "u/min": "rpm", "min-1": "rpm",
    "%": "percent", "percent": "percent", "pct": "percent",
    "v": "V", "volt": "V", "mv": "mV", "a": "A", "ma": "mA", "ah": "Ah", "kw": "kW", "w": "W", "ps": "PS",
    "hp": "hp", "kwh": "kWh", "nm": "Nm", "n.m": "Nm", "n": "N", "kn": "kN",
    "kpa": "kPa", "pa": "Pa", "bar": "bar", "mbar": "mbar", "hpa": "mbar", "psi": "psi", "mpa": "MPa",
    "s": "s", "sec": "s", "ms": "ms", "min": "min", "h": "h", "hours": "h", "l": "l", "ml": "ml", "kg": "kg",
    "l/h": "l/h", "l/100km": "l/100km", "g/s": "g/s", "g/km": "g/km", "kwh/100km": "kWh/100km", "hz": "Hz",
}  # fmt: skip
"""Lower-case DBC spelling -> canonical unit."""

_FACTORS: dict[str, dict[str, str]] = {
    "velocity": {"km/h": "1", "m/s": "3.6", "mph": "1.609344"},
    "acceleration": {"m/s^2": "1", "cm/s^2": "0.01", "g_earth": "9.80665"},
    "length": {"m": "1", "km": "1000", "cm": "0.01", "mm": "0.001", "inch": "0.0254", "mile": "1609.344"},
    "volume": {"l": "1", "ml": "0.001", "cm^3": "0.001"},
    "temperature": {"Celsius": "1", "Fahrenheit": "", "Kelvin": ""},
    "angle": {"degrees": "1", "rad": ""},
    "angular-speed": {"degrees/s": "1", "rad/s": ""},
    "rotational-speed": {"rpm": "1"},
    "relation": {"percent": "1", "ratio": "100"},
    "voltage": {"V": "1", "mV": "0.001"},
    "electric-current": {"A": "1", "mA": "0.001"},
    "electric-charge": {"Ah": "1"},
    "power": {"kW": "1", "W": "0.001", "PS": "0.73549875", "hp": "0.745699872"},
    "work": {"kWh": "1"},
    "torque": {"Nm": "1"},
    "force": {"N": "1", "kN": "1000"},
    "pressure": {
        "kPa": "1",
        "Pa": "0.001",
        "bar": "100",
        "mbar": "0.1",
        "psi": "6.894757293168",
        "MPa": "1000",
    },
    "duration": {"s": "1", "ms": "0.001", "min": "60", "h": "3600", "day": "86400"},
    "mass": {"kg": "1"},
    "volume-flow-rate": {"l/h": "1"},
    "volume-per-distance": {"l/100km": "1", "ml/100km": "0.001"},
    "mass-per-time": {"g/s": "1"},
    "mass-per-distance": {"g/km": "1"},
    "energy-consumption-per-distance": {"kWh/100km": "1", "Wh/km": "0.1"},
    "frequency": {"Hz": "1", "bpm": "", "cpm": ""},
}


def canonical(dbc_unit: str) -> str | None:
    """Return the unit that a DBC spelling stands for, None when we do not know it (or it is empty)."""
    return SPELLINGS.get(dbc_unit.strip().lower())


def quantity(unit: str) -> str | None:
    """Return the quantity of a canonical unit."""
    return next((name for name, units in _FACTORS.items() if unit in units), None)


def factor(source: str, target: str) -> Fraction | None:
    """Return what to multiply by to get from `source` to `target`; None when no plain factor does it."""
    if source == target:
        return Fraction(1)
    units = _FACTORS.get(quantity(source) or "", {})
    if not units.get(source) or not units.get(target):
        return None
    return Fraction(units[source]) / Fraction(units[target])
