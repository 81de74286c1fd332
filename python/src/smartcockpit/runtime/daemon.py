# SPDX-License-Identifier: Apache-2.0
"""The life of a daemon: settings, log, loop, signals, watchdog, exit code.

What it does in between is the business of its `App`.

Contract: `READY=1` goes out when the app calls `Life.ready`, that is when its bus name is held and its work
has started. The app's working loop calls `Life.alive`; a loop that hangs starves the watchdog. SIGTERM and
SIGINT cancel `App.run`, which then has `STOP_S` to clean up. Exit codes: 0 stopped as asked, 1 bug, 2 usage,
69 device or service missing, 78 configuration (sysexits.h).
"""

from __future__ import annotations

import smartcockpit.runtime.lean  # noqa: F401 - must come before asyncio

# isort: split
import asyncio
import gc
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from smartcockpit import __version__
from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.runtime import config, module_pack
from smartcockpit.runtime import logging as journal
from smartcockpit.runtime.notify import Notifier

STOP_S = 1.5
log = logging.getLogger(__name__)


class DaemonSettings(Protocol):
    """What the runtime itself needs of a daemon's settings."""

    @property
    def log_level(self) -> str:
        """Name of the lowest level that is logged."""


T = TypeVar("T", bound=DaemonSettings)


class App(Protocol):
    """The work of a daemon."""

    async def run(self, life: Life) -> None:
        """Work until cancelled; raise `SmartCockpitError` when it cannot go on."""


class Life:
    """What an app tells of itself."""

    def __init__(self, notifier: Notifier) -> None:
        self._notifier = notifier
        self._fed_ns = 0

    def ready(self, status: str) -> None:
        """Say that the bus name is held and the work has started."""
        self._notifier.ready(status)

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._notifier.status(text)

    def alive(self) -> None:
        """Feed the watchdog when due; cheap, to be called by every turn of the working loop."""
        interval = self._notifier.watchdog_interval_ns
        if interval and (now := time.monotonic_ns()) - self._fed_ns >= interval // 2:
            self._fed_ns = now
            self._notifier.alive()


def run_daemon(
    name: str, settings_type: type[T], make_app: Callable[[T], App], arguments: Sequence[str] | None = None
) -> int:
    """Run daemon `name` until told to stop; return the exit code.

    Prints errors as one sentence with a hint.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    program = f"smartcockpit-{name}"
    try:
        wish = _parse(program, arguments) if arguments else ""
        loaded = config.load(name, settings_type)
        if wish == "show":
            rows = [
                {"key": key, "value": value, "origin": origin} for key, value, origin in config.rows(loaded)
            ]
            import json

            print(json.dumps(rows))
            return 0
        journal.start(program, loaded.settings.log_level)
        log.debug("module pack: %s", module_pack.state)
        app = make_app(loaded.settings)
        if wish == "check":
            read = ", ".join(map(str, loaded.files)) or "nowhere, all defaults"
            print(f"{program}: configuration is valid, read from: {read}")
            return 0
        gc.freeze()  # what the imports made stays for good: collections need not look at it
        gc.enable()
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # keeps asyncio.run from taking it: `_live` does
        return asyncio.run(_live(app))
    except SmartCockpitError as error:
        return _explain(program, error)
    except BaseExceptionGroup as group:
        return _explain_group(program, group)
    except Exception:
        # The one place that catches everything: a bug must end in the journal with its trace and exit code 1.
        log.critical("%s stops because of a bug", program, exc_info=True)
        return 1


async def _live(app: App) -> int:
    loop = asyncio.get_running_loop()
    notifier = Notifier()
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # As asyncio.Runner does it; `loop.add_signal_handler` loads `inspect`, 5 ms, to check its call-back.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(told_to_stop.set))
    work = asyncio.create_task(app.run(Life(notifier)), name="app")
    told = asyncio.create_task(told_to_stop.wait(), name="signals")
    try:
        await asyncio.wait([work, told], return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            notifier.stopping()
            work.cancel()
            await asyncio.wait([work], timeout=STOP_S)
        if not work.done():
            log.critical("clean-up took longer than %s s, leaving without it", STOP_S)
            logging.shutdown()
            os._exit(1)
        if not work.cancelled():
            work.result()
        return 0
    finally:
        told.cancel()
        notifier.close()


def _parse(program: str, arguments: Sequence[str]) -> str:
    import argparse

    parser = argparse.ArgumentParser(
        program, description="Started by systemd; settings come from TOML files."
    )
    parser.add_argument("--version", action="version", version=f"{program} {__version__}")
    one = parser.add_mutually_exclusive_group()
    one.add_argument(
        "--check-config",
        dest="wish",
        action="store_const",
        const="check",
        help="say whether the settings are valid",
    )
    one.add_argument(
        "--show-config",
        dest="wish",
        action="store_const",
        const="show",
        help="print settings and origins as JSON",
    )
    return parser.parse_args(arguments).wish or ""


def _explain(program: str, error: SmartCockpitError) -> int:
    if not logging.getLogger().handlers:
        journal.start(program, "info")
    log.error("%s", error)
    return error.exit_code


def _explain_group(program: str, group: BaseExceptionGroup[BaseException]) -> int:
    known, rest = group.split(SmartCockpitError)
    if rest is None and known is not None:
        leaf: BaseException = known
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        if isinstance(leaf, SmartCockpitError):
            return _explain(program, leaf)
    log.critical("%s stops because of a bug", program, exc_info=group)
    return 1
