# SPDX-License-Identifier: Apache-2.0
"""Wires the power daemon.

lines, CAN bridge, battery and inhibitors → state machine → lamp, amplifier, fan, signals, and in the end
power-off.
"""

from __future__ import annotations

import asyncio
import gc

from smartcockpit.adapters.gpio_lines import GpioLines, Wiring
from smartcockpit.bus.connection import BusConnection
from smartcockpit.bus.patience import connect_when_there
from smartcockpit.bus.publisher import SignalPublisher
from smartcockpit.bus.signal_service import SignalService
from smartcockpit.core.board import SignalBoard
from smartcockpit.core.clock import SystemClock
from smartcockpit.core.inhibit import Inhibitors
from smartcockpit.core.lamp import Fan
from smartcockpit.core.power import PowerMachine, S, Timing
from smartcockpit.core.voltage import Thresholds, VoltageMonitor
from smartcockpit.daemons.power.carview import CarView
from smartcockpit.daemons.power.cockpit import Cockpit, offered
from smartcockpit.daemons.power.linework import LineWork
from smartcockpit.daemons.power.poweroff import PowerOff
from smartcockpit.daemons.power.service import PowerService
from smartcockpit.daemons.power.settings import BatterySettings, Settings, TimingSettings
from smartcockpit.runtime.daemon import Life

NAME = "org.smartcockpit.Power1"
STEP_EVERY_NS = 250_000_000


class Power:
    """The power daemon; see `smartcockpit.runtime.daemon.App`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = SystemClock()

    async def run(self, life: Life) -> None:
        """Watch over the cockpit until cancelled."""
        settings = self._settings
        connection = BusConnection(settings.dbus, NAME)
        board = SignalBoard(offered(settings.inputs, settings.ignition.source))
        publisher = SignalPublisher(connection, board)
        inhibitors = Inhibitors()
        cockpit = self._cockpit(board, publisher, inhibitors)
        service = PowerService(cockpit, inhibitors, self._clock)
        cockpit.car = CarView(connection, cockpit.step, ignition=settings.ignition.source == "can")
        cockpit.poweroff = PowerOff(connection, cockpit.going_down)
        cockpit.changed = service.update
        connection.export(SignalService(board, refresh=cockpit.renew_times))
        connection.export(service)
        cockpit.lines.try_open()
        try:
            self._sample(cockpit)
            cockpit.step()
            await connect_when_there(connection)
            life.ready(f"{cockpit.decision.state}, lines: {service.lines}")
            gc.freeze()
            async with asyncio.TaskGroup() as group:
                group.create_task(connection.run(), name="connection")
                group.create_task(cockpit.car.follow(), name="car")
                group.create_task(cockpit.poweroff.follow(cockpit.step), name="logind")
                group.create_task(self._tick(life, cockpit), name="tick")
        finally:
            cockpit.rest_outputs()
            cockpit.lines.close()
            service.close()
            await connection.close()
            publisher.close()

    async def _tick(self, life: Life, cockpit: Cockpit) -> None:
        """Sample the lines, judge, feed the watchdog."""
        has_lines = cockpit.lines.reason != "none"
        pause_s = self._settings.gpio.poll_ms / 1000 if has_lines else STEP_EVERY_NS / 1e9
        stepped_ns = 0
        while True:
            await asyncio.sleep(pause_s)
            now_ns = self._clock.monotonic_ns()
            if self._sample(cockpit) or now_ns - stepped_ns >= STEP_EVERY_NS:
                stepped_ns = now_ns
                cockpit.step()
            else:
                cockpit.drive_outputs(now_ns)
            life.alive()

    def _sample(self, cockpit: Cockpit) -> bool:
        changed = cockpit.lines.sample(self._clock.monotonic_ns())
        if changed:
            cockpit.publish_lines()
        return changed

    def _cockpit(self, board: SignalBoard, publisher: SignalPublisher, inhibitors: Inhibitors) -> Cockpit:
        settings = self._settings
        battery = settings.battery
        debounce = {name: line.debounce_ms for name, line in settings.inputs.items()}
        return Cockpit(
            PowerMachine(_timing(settings.timing, battery), self._clock.monotonic_ns()),
            VoltageMonitor(Thresholds(battery.low_v, battery.very_low_v, battery.critical_v)),
            Fan(settings.fan.on_c, settings.fan.off_c),
            lines=LineWork(self._open_lines, debounce, dict.fromkeys(settings.outputs, False)),
            inhibitors=inhibitors,
            board=board,
            publish=publisher.publish,
            clock=self._clock,
            ignition_from_can=settings.ignition.source == "can",
            inputs=settings.inputs,
            outputs=settings.outputs,
        )

    def _open_lines(self) -> GpioLines:
        """Open the chip; raises `UnavailableError`."""
        settings = self._settings
        inputs = {n: Wiring(s.line, s.active == "low", s.pull) for n, s in settings.inputs.items()}
        outputs = {n: Wiring(s.line, s.active == "low") for n, s in settings.outputs.items()}
        chip = settings.gpio.chip
        if settings.gpio.driver == "files":
            from smartcockpit.adapters.gpio_files import FileLines

            return FileLines(chip, inputs, outputs)
        from smartcockpit.adapters import gpiozero_lines

        if settings.gpio.driver == "mock":
            return gpiozero_lines.open_mock(inputs, outputs)
        return gpiozero_lines.open_lgpio(chip, inputs, outputs)


def _timing(timing: TimingSettings, battery: BatterySettings) -> Timing:
    def ns(seconds: float) -> int:
        return round(seconds * S)

    return Timing(
        wake_ns=ns(timing.wake_s),
        linger_ns=ns(timing.linger_s),
        leave_ns=ns(timing.leave_s),
        low_ns=ns(battery.low_linger_s),
        very_low_ns=ns(battery.very_low_linger_s),
        stay_ns=ns(timing.stay_s),
        hold_ns=ns(timing.hold_s),
        warn_ns=ns(timing.warn_s),
    )
