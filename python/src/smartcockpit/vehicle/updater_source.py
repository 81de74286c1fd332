# SPDX-License-Identifier: Apache-2.0
"""Python source of a message's updater: the hot path of the pure-Python back-end.

Owns change detection, intervals, quality, checksum and counter of generated code. An updater is a closure
over its state: r<i> last forwarded raw value, v<i> last good value, k<i> last quality (where it can be
invalid), d<i> end of the interval in monotonic ns.
"""

from __future__ import annotations

from smartcockpit.core.layout import Layout, plan_layout
from smartcockpit.core.plan import MappedSignal, MessagePlan
from smartcockpit.vehicle.conversion_source import ConversionSource, conversion_source

_INVALID, _VALID = 1, 3
_STEP = "    "


class UpdaterSource:
    """Writes one updater; `definitions` (module level) and `lines` (the factory function) are the result."""

    def __init__(self, message: MessagePlan, function: str, struct_name: str) -> None:
        self.message = message
        self.function = function
        self.definitions: list[str] = []
        wanted = message.read_fields
        self.layout: Layout = plan_layout([message.fields[i].place for i in wanted])
        self.raw = dict(zip(wanted, self.layout.raw, strict=True))
        self.unpack = [f"{struct_name}_{n}" for n in range(len(self.layout.formats))]
        for name, code in zip(self.unpack, self.layout.formats, strict=True):
            self.definitions.append(f'{name} = Struct("{code[0]}4x{code[1:]}").unpack_from')
        self.names = {i: f"m{i}" for i in wanted if i in message.multiplexers}
        self.state: list[str] = []
        self.start: list[str] = []
        self.reset: list[str] = []
        self.body: list[str] = []
        self._write()

    @property
    def lines(self) -> list[str]:
        """Return the lines of the factory function."""
        update = ["def update(body, now, time, emit):"]
        if self.state:
            update.append(f"{_STEP}nonlocal {', '.join(self.state)}")
        update += [_STEP + line for line in self.body]
        forget = ["def forget():"]
        forget += [f"{_STEP}nonlocal {', '.join(self._forgotten())}"] if self.reset else []
        forget += [_STEP + line for line in self.reset or ["pass"]]
        inner = [*self.start, "", *forget, "", *update, "", "return update, forget"]
        return [f"def {self.function}(tally):", *[_STEP + line if line else "" for line in inner]]

    def _forgotten(self) -> list[str]:
        return [line.split(" = ")[0] for line in self.reset]

    def _keep(self, name: str, first: str, *, reset: bool = True) -> None:
        self.state.append(name)
        self.start.append(f"{name} = {first}")
        if reset:
            self.reset.append(f"{name} = {first}")

    def _write(self) -> None:
        for signal in self.message.mapped:
            self._keep(f"v{signal.index}", repr(signal.spec.datatype.zero), reset=False)
        if self.message.checksum is not None:
            self._write_checksum()
        for name, words in zip(self.unpack, self.layout.words, strict=True):
            if words:
                self.body.append(f"{', '.join(words)}{',' if len(words) == 1 else ''} = {name}(body)")
        if self.message.counter is not None:
            self._write_counter(*self.message.counter)
        if self.message.is_timed:
            self.body.append("due = NEVER")
        for i, name in self.names.items():
            self.body.append(f"{name} = {self.raw[i]}")
            known = self.message.multiplexers[i]
            if not self.message.fields[i].conditions:
                self.body += [f"if not ({in_ranges(name, known)}):", f"{_STEP}tally.unknown_mux += 1"]
        for signal in self.message.mapped:
            self._write_signal(signal)
        last = "0" if self.message.counter is not None else "due" if self.message.is_timed else "NEVER"
        self.body.append(f"return {last}")

    def _write_checksum(self) -> None:
        check = f"CHECK_{self.function.removeprefix('update_')}"
        guard = self.message.checksum
        assert guard is not None
        self.definitions.append(
            f"{check} = Checksum({guard.name!r}, {guard.at}, {guard.length}, {guard.data_id!r},"
            f" {guard.big_endian!r}).matches"
        )
        self._keep("bad", "False", reset=False)
        self.body += [
            f"if not {check}(body[4:{4 + guard.length}]):",
            f"{_STEP}tally.checksum_errors += 1",
            f"{_STEP}if not bad:",
            f"{_STEP * 2}bad = True",
            *(f"{_STEP * 2}emit(({s.index}, v{s.index}, {_INVALID}, time))" for s in self.message.mapped),
            f"{_STEP}return NEVER",
            "if bad:",
            f"{_STEP}bad = False",
            f"{_STEP}forget()",
        ]

    def _write_counter(self, field: int, counter: object) -> None:
        from smartcockpit.core.checksum import Counter

        assert isinstance(counter, Counter)
        self._keep("count", "None")
        self.body += [
            f"new = {self.raw[field]}",
            "if new != expect:" if counter.modulus > 1 else "if False:",
            f"{_STEP}if new == count:",
            f"{_STEP * 2}tally.counter_errors += 1",
            f"{_STEP * 2}return REPEATED",
            f"{_STEP}if count is not None:",
            f"{_STEP * 2}tally.counter_errors += 1",
            "count = new",
            f"expect = (new + {counter.step}) % {counter.modulus}",
        ]
        self._keep("expect", "None")

    def _write_signal(self, signal: MappedSignal) -> None:
        i, field = signal.index, self.message.fields[signal.field]
        source = conversion_source(signal, "raw", field.place.is_float)
        self.definitions += source.definitions
        self._keep(f"r{i}", "None")
        can_fail = source.lookup or bool(source.condition)
        if can_fail or not source.one_to_one:
            self._keep(f"k{i}", "0")
        if signal.interval_ms or not signal.on_change:
            self._keep(f"d{i}", "0")
        lines = [f"raw = {self.names.get(signal.field) or self.raw[signal.field]}"]
        lines += _signal_lines(signal, source, can_fail)
        self.body.append(f"# {field.name} -> {signal.spec.path}")
        self.body += _when([in_ranges(self.names[m], r) for m, r in field.conditions], lines)


def _signal_lines(signal: MappedSignal, source: ConversionSource, can_fail: bool) -> list[str]:
    """Return what happens to one signal once its raw value is known."""
    i = signal.index
    again = "" if signal.on_change else f" or now >= d{i}"
    good = _forward_lines(signal, source, can_fail)
    if not can_fail:
        lines = [f"if raw != r{i}{again}:", *_indent(good)]
    else:
        bad = [
            f"r{i} = raw",
            f"if k{i} != {_INVALID}:",
            f"{_STEP}k{i} = {_INVALID}",
            f"{_STEP}tally.out_of_range += 1",
            f"{_STEP}emit(({i}, v{i}, {_INVALID}, time))",
        ]
        if source.lookup:
            test = [f"value = {source.value}", "if value is None:", *_indent(bad), "else:", *_indent(good)]
        else:
            test = [f"if {source.condition}:", *_indent(good), "else:", *_indent(bad)]
        lines = [f"if raw != r{i}{again}:", *_indent(test)]
    if not signal.on_change:
        lines += [f"if d{i} < due:", f"{_STEP}due = d{i}"]
    return lines


def _forward_lines(signal: MappedSignal, source: ConversionSource, can_fail: bool) -> list[str]:
    """Return the lines for a good value: hold back until the interval is over, drop what is no news, emit."""
    i, has_quality = signal.index, can_fail or not source.one_to_one
    send = [f"r{i} = raw", f"v{i} = {'value' if source.lookup else source.value}"]
    if has_quality:
        send.append(f"k{i} = {_VALID}")
    if signal.interval_ms or not signal.on_change:
        send.append(f"d{i} = now + {signal.interval_ms * 1_000_000}")
    send.append(f"emit(({i}, v{i}, {_VALID}, time))")
    lines = send
    if signal.interval_ms:
        fresh = f"now >= d{i} or k{i} != {_VALID}" if has_quality else f"now >= d{i}"
        held = (
            ["else:", f"{_STEP}due = d{i}"]
            if not signal.on_change
            else [f"elif d{i} < due:", f"{_STEP}due = d{i}"]
        )
        lines = [f"if {fresh}:", *_indent(send), *held]
        if not signal.on_change:
            lines = [f"if {fresh}:", *_indent(send)]
    if not source.one_to_one and signal.on_change:
        if source.lookup:
            return [f"if value == v{i} and k{i} == {_VALID}:", f"{_STEP}r{i} = raw", "else:", *_indent(lines)]
        lines = [line.replace(f"v{i} = {source.value}", f"v{i} = value") for line in lines]
        same = [f"if value == v{i} and k{i} == {_VALID}:", f"{_STEP}r{i} = raw", "else:", *_indent(lines)]
        return [f"value = {source.value}", *same]
    return lines


def in_ranges(name: str, ranges: tuple[tuple[int, int], ...]) -> str:
    """Return the condition that `name` lies in one of the inclusive `ranges`."""
    single = [low for low, high in ranges if low == high]
    wide = [f"{low} <= {name} <= {high}" for low, high in ranges if low != high]
    if len(single) == 1:
        wide.append(f"{name} == {single[0]}")
    elif single:
        wide.append(f"{name} in {tuple(single)!r}")
    return " or ".join(wide)


def _when(conditions: list[str], lines: list[str]) -> list[str]:
    if not conditions:
        return lines
    return [f"if {' and '.join(f'({c})' if ' or ' in c else c for c in conditions)}:", *_indent(lines)]


def _indent(lines: list[str]) -> list[str]:
    return [_STEP + line for line in lines]
