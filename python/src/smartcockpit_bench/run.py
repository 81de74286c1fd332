# SPDX-License-Identifier: Apache-2.0
"""`make run`: boot the box, drive the simulated car past it, show what the cockpit sees, shut down cleanly.

Owns the order of things. The machine is `qemu.box`, the car `car` and `drive`, the picture `view`.
What the car plays is recorded in build/last-sound.wav.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

from smartcockpit_bench import benchdisk
from smartcockpit_bench.car.source import CarSource
from smartcockpit_bench.gnss import feed as gnss
from smartcockpit_bench.places import ARCHITECTURES, FLAVOURS, ROOT
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.simulate import FrameSource, simulate
from smartcockpit_bench.timeline import Timeline
from smartcockpit_bench.usb import feed as usb
from smartcockpit_bench.view import __main__ as view
from smartcockpit_bench.view.cockpit import Cockpit
from smartcockpit_bench.view.show import show
from smartcockpit_bench.wire import CarWire

DEMO = ROOT / "dbc" / "demo"
POWER_OFF_S = 120.0
"""A machine with other work takes its time; who cannot wait presses Ctrl-C again."""
WATCH_S = 0.05


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; what comes after `make run ARGS=` ends up here."""
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("--arch", choices=ARCHITECTURES, default="amd64")
    parser.add_argument("--flavour", choices=FLAVOURS, default="dev")
    parser.add_argument("--drive", type=Path, metavar="LOG", help="replay this candump, ASC or BLF log")
    parser.add_argument(
        "--map", default="", metavar="CHANNEL=BUS,…", help="which channel of the log is which bus"
    )
    parser.add_argument(
        "--vehicle", type=Path, default=DEMO, metavar="FOLDER", help="vehicle folder with DBC files"
    )
    parser.add_argument("--direct", action="store_true", help="boot the kernel without the boot loader")
    parser.add_argument("--keep", type=Path, metavar="QCOW2", help="keep the box's disk in this file")
    view.add_arguments(parser)
    return parser.parse_args(arguments)


def source_of(options: argparse.Namespace) -> FrameSource:
    """Return what drives: the simulated car, or a recording on the buses of the vehicle."""
    if options.drive is None:
        return CarSource.of(options.vehicle)
    from smartcockpit_bench.recording import recording

    return recording(options.drive, options.vehicle, channels=options.map)


async def drive(
    box: Box, source: FrameSource, options: argparse.Namespace, timeline: Timeline, cockpit: Cockpit
) -> None:
    """Feed the car, show the `cockpit`; ends by itself after `--for`, or when the box goes off."""
    wire = CarWire(box.car_socket)
    tasks = [
        asyncio.create_task(
            show(
                box.view_socket,
                style=view.style_of(options),
                duration_s=options.duration_s,
                cockpit=cockpit,
            )
        ),
        asyncio.create_task(gone(box)),
    ]
    helpers = [
        asyncio.create_task(timeline.watch(cockpit)),
        asyncio.create_task(feed(wire, source)),
        asyncio.create_task(usb.feed(box.gpio_socket, getattr(source, "car", None))),
        asyncio.create_task(entertain(box, cockpit)),
    ]
    if isinstance(source, CarSource):
        helpers.append(asyncio.create_task(gnss.feed(box.gnss_socket, source.car)))
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        timeline.finish(cockpit)
        for task in [*tasks, *helpers]:
            task.cancel()
        await asyncio.gather(*tasks, *helpers, return_exceptions=True)


async def feed(wire: CarWire, source: FrameSource) -> None:
    """Keep the car driving as long as the box runs."""
    async with wire:
        await simulate(source, wire)
        await asyncio.Event().wait()


async def entertain(box: Box, cockpit: Cockpit) -> None:
    """Let the car play its tune once it is live; only the dev flavour can be told to."""
    if box.flavour != "dev":
        return
    while not cockpit.signals:  # noqa: ASYNC110 - looked at now and then
        await asyncio.sleep(WATCH_S * 10)
    with suppress(SmartCockpitError):
        await asyncio.to_thread(
            box.agent.run, "systemctl", "start", "--no-block", "box-tune.target", check=False
        )


async def gone(box: Box) -> None:
    """Return, as an error, when the machine has switched itself off."""
    while box.running:  # noqa: ASYNC110 - a process of QEMU, looked at now and then
        await asyncio.sleep(WATCH_S * 10)
    raise UnavailableError("the box has switched itself off", "its console is in build/last-serial.log")


def session(options: argparse.Namespace) -> None:
    """One run, from power-on to power-off."""
    source = source_of(options)
    with tempfile.TemporaryDirectory(prefix="smartcockpit-run-") as work:
        disk = None
        if options.vehicle.resolve() != DEMO:
            disk = benchdisk.with_vehicle(options.vehicle, Path(work))
        box = Box(
            arch=options.arch,
            flavour=options.flavour,
            direct=options.direct,
            bench_disk=disk,
            keep=options.keep,
            announce=True,
        )
        how = "KVM" if box.hardware.accelerator == "kvm" else "emulation (TCG)"
        print(f"  booting {options.arch} {options.flavour} under {how}; Ctrl-C ends it", file=sys.stderr)
        timeline, cockpit = Timeline(box), Cockpit()
        with box:
            try:
                with suppress(KeyboardInterrupt), view.reader_may_leave():
                    asyncio.run(drive(box, source, options, timeline, cockpit))
            finally:
                shut_down(box, booted=cockpit.lines > 0)
        print(timeline.table(), file=sys.stderr)


def shut_down(box: Box, *, booted: bool) -> None:
    """Switch off cleanly; before it has `booted`, or at a second Ctrl-C, pull the plug."""
    if not box.running:
        return
    if not booted:
        print("  switching the box off before it has booted", file=sys.stderr)
        box.kill()
        return
    print("  shutting the box down; Ctrl-C again pulls the plug", file=sys.stderr)
    with suppress(KeyboardInterrupt):
        if not box.power_off(POWER_OFF_S):
            print(f"  it did not shut down within {POWER_OFF_S:.0f} s and was killed", file=sys.stderr)


def end_as_by_ctrl_c(*endings: signal.Signals) -> None:
    """Let a closed terminal or a `kill` end the box as Ctrl-C does; what `nohup` has us ignore stays so."""

    def end(*_: object) -> None:
        # A shell starts what a script puts into the background with Ctrl-C ignored.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    for ending in endings:
        if signal.getsignal(ending) is not signal.SIG_IGN:
            signal.signal(ending, end)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; exit codes as in `smartcockpit.core.errors`."""
    options = parse(arguments)
    end_as_by_ctrl_c(signal.SIGHUP, signal.SIGTERM)
    try:
        session(options)
    except SmartCockpitError as error:
        print(f"make run: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
