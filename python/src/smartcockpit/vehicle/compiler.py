# SPDX-License-Identifier: Apache-2.0
"""Compiles a vehicle folder into a plan: settings, DBC files and mapping brought together and checked.

Owns finding each mapped signal on its bus and the order of signals and messages. Reading files, fitting
values and writing source belong to the neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from smartcockpit.core.checksum import WIDTH_BITS, Checksum, Counter
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.nearest import did_you_mean
from smartcockpit.core.plan import MappedSignal, MessagePlan, Table, VehiclePlan
from smartcockpit.core.signals import Scalar, SignalSpec
from smartcockpit.core.vss import Catalogue, Place
from smartcockpit.vehicle.database import DbcMessage, read_dbc
from smartcockpit.vehicle.fit import checked_value, fit
from smartcockpit.vehicle.mapping import SignalMapping, read_mappings
from smartcockpit.vehicle.settings import MessageSetting, VehicleSettings, read_settings
from smartcockpit.vehicle.sources import default_vss, sources_digest
from smartcockpit.vehicle.vspec import read_catalogue

MAPPING_FILES = ("signals.vspec", "signals.json")
OVERLAY_FILE = "overlay.vspec"


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A compiled folder: the plan, what was odd, and all messages per bus (mapped or not, for simulators)."""

    plan: VehiclePlan
    warnings: tuple[str, ...]
    messages: tuple[MessagePlan, ...]


@dataclass(slots=True)
class _Shelf:
    """All messages of the vehicle while it is put together."""

    plans: list[MessagePlan] = field(default_factory=list)
    dbc: list[DbcMessage] = field(default_factory=list)


def compile_vehicle(folder: Path, vss: Path | None = None) -> Vehicle:
    """Return the vehicle in `folder`; raises `ConfigError` with file, line and remedy for what does not
    fit.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder}: no such folder", "name the folder that holds vehicle.toml and the DBC files"
        )
    notes: list[str] = []
    settings = read_settings(folder)
    shelf = _read_messages(folder, settings, notes)
    overlay = folder / OVERLAY_FILE
    catalogue = read_catalogue(vss or default_vss(), (overlay,) if overlay.is_file() else ())
    mappings = read_mappings(_mapping_file(folder), catalogue, notes)
    if not mappings:
        raise ConfigError(
            f"{_mapping_file(folder)}: no signal is mapped", "add dbc: with signal: below a VSS path"
        )
    _apply_settings(settings, shelf)
    specs = [_limited(m.spec, settings) for m in mappings]
    mapped: dict[int, list[MappedSignal]] = {}
    for index, (mapping, spec) in enumerate(zip(mappings, specs, strict=True)):
        number, position = _find(replace(mapping, spec=spec), shelf, settings)
        message = shelf.dbc[number]
        unit = catalogue.units.get(mapping.unit)
        conversion = fit(
            replace(mapping, spec=spec),
            message.fields[position],
            message.signals[position],
            unit.quantity if unit else None,
        )
        for _, value in conversion.values if isinstance(conversion, Table) else ():
            catalogue.check_text(spec.path, value, mapping.place)
        mapped.setdefault(number, []).append(
            MappedSignal(index, position, spec, conversion, mapping.interval_ms, mapping.on_change)
        )
    specs += _attributes(settings, catalogue, specs)
    messages = tuple(replace(shelf.plans[n], mapped=tuple(signals)) for n, signals in sorted(mapped.items()))
    plan = VehiclePlan(
        settings.name,
        settings.buses,
        tuple(specs),
        messages,
        sources_digest(folder, vss),
        _values(settings, catalogue, specs),
    )
    return Vehicle(plan, tuple(notes), tuple(shelf.plans))


def _mapping_file(folder: Path) -> Path:
    for name in MAPPING_FILES:
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(
        f"{folder}: no {MAPPING_FILES[0]} in here", "it says which DBC signal feeds which VSS path"
    )


def _read_messages(folder: Path, settings: VehicleSettings, notes: list[str]) -> _Shelf:
    shelf = _Shelf()
    for bus, files in enumerate(settings.dbc):
        ids: dict[int, DbcMessage] = {}
        for name in files:
            path = folder / name
            if not path.is_file():
                there = [p.name for p in folder.glob("*.dbc")]
                hint = did_you_mean(name, there, "put the file there or correct dbc = […]")
                raise ConfigError(f"{settings.place}: bus {settings.buses[bus].name}: no file {name!r}", hint)
            for message in read_dbc(path, notes):
                other = ids.setdefault(message.can_id, message)
                if other is not message:
                    raise ConfigError(
                        f"{path}: message {message.name} has the id {message.can_id & 0x1FFFFFFF:#x} of "
                        f"{other.name} in {other.file} on the same bus",
                        "put the files on different buses or leave one message out",
                    )
                if message.length > (64 if settings.buses[bus].data_bitrate else 8):
                    notes.append(
                        f"{path}: message {message.name} of {message.length} bytes cannot travel on this bus"
                    )
                shelf.dbc.append(message)
                shelf.plans.append(
                    MessagePlan(
                        bus, message.can_id, message.name, message.length, message.fields, (),
                        message.cycle_ms, 3 * message.cycle_ms,
                    )
                )  # fmt: skip
    return shelf


def _apply_settings(settings: VehicleSettings, shelf: _Shelf) -> None:
    for key, setting in settings.messages.items():
        bus_name, _, name = key.rpartition(".")
        hits = [
            i for i, plan in enumerate(shelf.plans)
            if plan.name == name and bus_name in ("", settings.buses[plan.bus].name)
        ]  # fmt: skip
        if not hits:
            hint = did_you_mean(
                name, [plan.name for plan in shelf.plans], "the DBC files have no such message"
            )
            raise ConfigError(f"{setting.place}: unknown message {key!r}", hint)
        if len(hits) > 1:
            raise ConfigError(
                f"{setting.place}: message {name} is on several buses", "write [message.BUS.NAME]"
            )
        shelf.plans[hits[0]] = _guarded(shelf.plans[hits[0]], shelf.dbc[hits[0]], setting)


def _guarded(plan: MessagePlan, dbc: DbcMessage, setting: MessageSetting) -> MessagePlan:
    """Return `plan` with cycle, timeout, checksum and counter as declared."""
    cycle = plan.cycle_ms if setting.cycle_ms is None else setting.cycle_ms
    timeout = 3 * cycle if setting.timeout_ms is None else setting.timeout_ms
    checksum = counter = None
    if setting.checksum is not None:
        position = _field(dbc, setting.checksum.signal, setting.place)
        place, width = dbc.fields[position].place, WIDTH_BITS[setting.checksum.algorithm]
        first = min(s.byte for s in place.slices)
        if place.length != width or any(s.bit or s.width != 8 for s in place.slices):
            raise ConfigError(
                f"{setting.place}: checksum signal {setting.checksum.signal} of {plan.name} is not"
                f" {width // 8} whole byte(s), as {setting.checksum.algorithm} needs"
            )
        checksum = Checksum(
            setting.checksum.algorithm, first, plan.length, setting.checksum.data_id, place.big_endian
        )
    if setting.counter is not None:
        position = _field(dbc, setting.counter.signal, setting.place)
        place = dbc.fields[position].place
        if place.is_float or place.signed or dbc.fields[position].conditions:
            raise ConfigError(
                f"{setting.place}: {setting.counter.signal} of {plan.name} is no plain unsigned counter"
            )
        counter = (position, Counter(setting.counter.modulus or 1 << place.length, setting.counter.step))
    return replace(plan, cycle_ms=cycle, timeout_ms=timeout, checksum=checksum, counter=counter)


def _field(dbc: DbcMessage, signal: str, place: Place) -> int:
    position = dbc.index(signal)
    if position is None:
        hint = did_you_mean(signal, [s.name for s in dbc.signals], f"{dbc.name} has no such signal")
        raise ConfigError(f"{place}: unknown signal {signal!r} in message {dbc.name}", hint)
    return position


def _find(mapping: SignalMapping, shelf: _Shelf, settings: VehicleSettings) -> tuple[int, int]:
    """Return message number and field index of the mapped DBC signal; it must be one and only one."""
    buses = [bus.name for bus in settings.buses]
    if mapping.bus and mapping.bus not in buses:
        hint = did_you_mean(mapping.bus, buses, "buses are " + ", ".join(buses))
        raise ConfigError(f"{mapping.place}: {mapping.spec.path}: unknown bus {mapping.bus!r}", hint)
    if mapping.message and not any(plan.name == mapping.message for plan in shelf.plans):
        hint = did_you_mean(
            mapping.message, [p.name for p in shelf.plans], "the DBC files have no such message"
        )
        raise ConfigError(f"{mapping.place}: {mapping.spec.path}: unknown message {mapping.message!r}", hint)
    hits = list(_hits(mapping, shelf, buses))
    if not hits:
        names = [s.name for m in shelf.dbc if mapping.message in ("", m.name) for s in m.signals]
        where = f"message {mapping.message}" if mapping.message else "the DBC files"
        hint = did_you_mean(mapping.signal, names, "smartcockpit-vehicle show DIR --dbc lists what there is")
        raise ConfigError(
            f"{mapping.place}: {mapping.spec.path}: no DBC signal {mapping.signal!r} in {where}", hint
        )
    if len(hits) > 1:
        found = ", ".join(f"{shelf.plans[n].name} (bus {buses[shelf.plans[n].bus]})" for n, _ in hits[:5])
        raise ConfigError(
            f"{mapping.place}: {mapping.spec.path}: DBC signal {mapping.signal} is in several messages:"
            f" {found}",
            "say which one with message: (and bus:)",
        )
    return hits[0]


def _hits(mapping: SignalMapping, shelf: _Shelf, buses: list[str]) -> Iterator[tuple[int, int]]:
    for number, (plan, dbc) in enumerate(zip(shelf.plans, shelf.dbc, strict=True)):
        if mapping.message in ("", plan.name) and mapping.bus in ("", buses[plan.bus]):
            position = dbc.index(mapping.signal)
            if position is not None:
                yield number, position


def _limited(spec: SignalSpec, settings: VehicleSettings) -> SignalSpec:
    """Return `spec` with the narrower limits of vehicle.toml."""
    if spec.path not in settings.limits:
        return spec
    low, high = settings.limits[spec.path]
    if not spec.datatype.is_number:
        raise ConfigError(f"{settings.place}: limits of {spec.path}: it is {spec.datatype}")
    low = low if spec.minimum is None else max(low, spec.minimum)
    high = high if spec.maximum is None else min(high, spec.maximum)
    return spec._replace(minimum=low, maximum=high)


def _attributes(
    settings: VehicleSettings, catalogue: Catalogue, mapped: list[SignalSpec]
) -> list[SignalSpec]:
    paths = {spec.path for spec in mapped}
    for path in settings.limits:
        if path not in paths:
            raise ConfigError(
                f"{settings.place}: limits of {path}, which is not mapped", did_you_mean(path, paths)
            )
    found = [catalogue.find(path, settings.place) for path in settings.attributes]
    for spec in found:
        if spec.kind != "attribute":
            raise ConfigError(
                f"{settings.place}: {spec.path} is a {spec.kind}, [attributes] holds attributes"
            )
        if spec.path in paths:
            raise ConfigError(f"{settings.place}: attribute {spec.path} is mapped to a DBC signal as well")
    return found


def _values(
    settings: VehicleSettings, catalogue: Catalogue, specs: list[SignalSpec]
) -> tuple[tuple[int, Scalar], ...]:
    """Return (signal index, value) of the fixed attributes."""
    index = {spec.path: i for i, spec in enumerate(specs)}
    for path, value in settings.attributes.items():
        catalogue.check_text(path, value, settings.place)
    return tuple(
        (index[path], checked_value(specs[index[path]], value, settings.place))
        for path, value in settings.attributes.items()
    )
