# SPDX-License-Identifier: Apache-2.0
"""The cockpit between its inputs and the state machine: what is known goes in, what follows is carried out.

Owns machine, battery stages, lamp and fan. Publishes the signals that come from lines.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from smartcockpit.adapters.thermal import temperature_c
from smartcockpit.bus.interfaces.power1 import LineRow
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.clock import Clock
from smartcockpit.core.inhibit import Inhibitors
from smartcockpit.core.lamp import Fan, lamp
from smartcockpit.core.power import Decision, Inputs, PowerMachine, PowerState, S
from smartcockpit.core.signals import SignalQuality, SignalSpec, Update, Value
from smartcockpit.core.voltage import Stage, VoltageMonitor
from smartcockpit.daemons.power import events
from smartcockpit.daemons.power.carview import IGNITION, CarView
from smartcockpit.daemons.power.linework import LineWork
from smartcockpit.daemons.power.poweroff import PowerOff
from smartcockpit.daemons.power.settings import InputSettings, OutputSettings
from smartcockpit.daemons.power.signals import SPECS

log = logging.getLogger(__name__)
REVERSE = "Vehicle.SmartCockpit.IsReverseGearEngaged"
KEYS = "Vehicle.SmartCockpit.PressedKeys"
TEMPERATURE_EVERY_NS = 5 * S
AUDIBLE = (PowerState.RUNNING, PowerState.ACCESSORY)


def offered(inputs: Mapping[str, InputSettings], source: str) -> list[SignalSpec]:
    """Return those of our signals that this board has lines for."""
    have = {
        IGNITION: source == "gpio" and "ignition" in inputs,
        REVERSE: "reverse" in inputs,
        KEYS: bool(keys_of(inputs)),
    }
    return [spec for spec in SPECS if have[spec.path]]


def keys_of(inputs: Mapping[str, InputSettings]) -> list[str]:
    """Return the inputs that are keys."""
    return [name for name in inputs if name not in ("ignition", "reverse")]


class Cockpit:
    """One cockpit. `changed` is called after each step; `car` and `poweroff` are set before the first one."""

    def __init__(
        self,
        machine: PowerMachine,
        voltage: VoltageMonitor,
        fan: Fan,
        *,
        lines: LineWork,
        inhibitors: Inhibitors,
        board: SignalBoard,
        publish: Callable[[Sequence[Update]], None],
        clock: Clock,
        ignition_from_can: bool,
        inputs: Mapping[str, InputSettings],
        outputs: Mapping[str, OutputSettings],
    ) -> None:
        self.machine, self.voltage, self.lines = machine, voltage, lines
        self.car: CarView
        self.poweroff: PowerOff
        self.changed: Callable[[], None] = lambda: None
        self.decision = Decision(machine.state, "starting", None)
        self._fan, self._inhibitors = fan, inhibitors
        self._board, self._publish, self._clock = board, publish, clock
        self._from_can = ignition_from_can
        self._inputs, self._outputs = inputs, outputs
        self._keys = keys_of(inputs)
        self._measured_ns = -TEMPERATURE_EVERY_NS

    @property
    def ignition(self) -> bool | None:
        """Whether the ignition is on, None when nobody can tell."""
        return self.car.ignition if self._from_can else self.lines.level("ignition")

    def going_down(self, begins: bool) -> None:
        """Hear from logind that the system goes down, or does not after all."""
        if begins:
            asked = self.decision.state is PowerState.SHUTTING_DOWN
            self.machine.commit(self.decision.reason if asked else "the system was told to go down")
        else:
            self.machine.abandon()
        self.step()

    def step(self) -> None:
        """Judge anew and carry out what follows."""
        now_ns, before = self._clock.monotonic_ns(), self.decision
        stage_before = self.voltage.stage
        stage = self.voltage.update(self.car.voltage_v, now_ns)
        if stage is not stage_before and max(stage, stage_before) >= Stage.LOW and stage is not Stage.UNKNOWN:
            events.BATTERY.log(log, stage=stage.label, voltage=self.car.voltage_v)
        held = [inhibition.label for inhibition in self._inhibitors.all()]
        held += [f"{block.who} ({block.why})" for block in self.poweroff.blocks]
        inputs = Inputs(self.ignition, self.car.driver_door_open, stage, tuple(held))
        self.decision = found = self.machine.step(inputs, now_ns)
        self.poweroff.mind_blocks(found.state in (PowerState.ACCESSORY, PowerState.SHUTTING_DOWN))
        if found.request:
            events.REQUESTED.log(log, reason=found.reason)
            self.poweroff.request(force=found.force)
        elif before.state is PowerState.SHUTTING_DOWN and found.state in AUDIBLE:
            self.poweroff.withdraw()
        if found[:2] != before[:2]:
            events.STATE.log(log, state=found.state.value, reason=found.reason)
        self.drive_outputs(now_ns)
        self.changed()

    def drive_outputs(self, now_ns: int) -> None:
        """Set amplifier, lamp and fan as the state and the temperature want them."""
        state = self.decision.state
        self.lines.set("amplifier", state in AUDIBLE)
        self.lines.set("lamp", lamp(state, now_ns))
        if "fan" in self._outputs and now_ns - self._measured_ns >= TEMPERATURE_EVERY_NS:
            self._measured_ns = now_ns
            self.lines.set("fan", self._fan.update(temperature_c()))

    def rest_outputs(self) -> None:
        """Switch all outputs off: we are leaving."""
        for name in self._outputs:
            self.lines.set(name, False)

    # ---- signals -----------------------------------------------------------------------------------------

    def publish_lines(self) -> None:
        """Publish those signals of ours that are others than before."""
        now_us, board = self._clock.realtime_us(), self._board
        updates: list[Update] = []
        for path, i in board.index.items():
            value, quality = self._reading(path, i)
            if (board.values[i], board.qualities[i]) != (value, quality):
                updates.append((i, value, quality, now_us))
        if updates:
            self._publish(updates)

    def _reading(self, path: str, index: int) -> tuple[Value, int]:
        """Return value and quality of a signal; of lines that cannot be read the last value, unavailable."""
        valid, lost = int(SignalQuality.VALID), (self._board.values[index], int(SignalQuality.UNAVAILABLE))
        if path == KEYS:
            levels = {name: self.lines.level(name) for name in self._keys}
            if None in levels.values():
                return lost
            return [name for name, level in levels.items() if level], valid
        level = self.lines.level("ignition" if path == IGNITION else "reverse")
        if level is None:
            return lost
        return (("ON" if level else "OFF") if path == IGNITION else level), valid

    def renew_times(self) -> None:
        """Give valid signals the present time: their lines have just been read."""
        now_us = self._clock.realtime_us()
        for i, quality in enumerate(self._board.qualities):
            if quality == SignalQuality.VALID:
                self._board.times_us[i] = now_us

    def line_rows(self) -> list[LineRow]:
        """Return the state of each configured line."""
        words = {True: "on", False: "off", None: "unavailable"}
        inputs = [LineRow(n, "input", s.line, words[self.lines.level(n)]) for n, s in self._inputs.items()]
        return inputs + [
            LineRow(n, "output", s.line, words[self.lines.output(n)]) for n, s in self._outputs.items()
        ]
