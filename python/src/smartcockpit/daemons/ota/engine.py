# SPDX-License-Identifier: Apache-2.0
"""The loop of the agent: decide, do, keep, and again, until nothing is to be done.

`smartcockpit.core.update.decide` says what is next; `acts` does it, `polling` hears the server, `wishes` the
user. Downloads and installations run beside the loop as its one job, so that others are heard meanwhile. All
changes of the state pass through `keep`: what it has not written did not happen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from smartcockpit.adapters.network import NetworkError
from smartcockpit.core.errors import SmartCockpitError, UnavailableError
from smartcockpit.core.update.codes import Phase, Waiting
from smartcockpit.core.update.decide import Act, Next, View, decide
from smartcockpit.core.update.pacing import BackOff, Chance
from smartcockpit.core.update.state import State, Update
from smartcockpit.daemons.ota import events, polling
from smartcockpit.daemons.ota.dialogue import ServerError
from smartcockpit.daemons.ota.given import Pace, Pause, Ports

if TYPE_CHECKING:
    from smartcockpit.daemons.ota.acts import Acts

log = logging.getLogger(__name__)
GATED = (Phase.DOWNLOADED, Phase.INSTALLING, Phase.INSTALLED, Phase.REBOOTING)
"""Phases in which the car's signals matter, or soon will; in all others they are left alone."""
ACTS_PER_TURN = 64
LONGEST_PAUSE_S = 3600.0
WORTH_A_START_S = 2.0
"""The network process is kept over shorter pauses: starting it costs more than having it wait."""
LOCAL_GROWTH = 60.0
"""How far pauses after trouble with the installer or the disk grow."""
Change = Callable[[Update], Update]


class Engine:
    """Owns the state. `changed` is called when something that people see is different."""

    def __init__(
        self, state: State, ports: Ports, pace: Pace, chance: Chance, changed: Callable[[], None]
    ) -> None:
        self.state = state
        self.ports = ports
        self.pace = pace
        self.next = Next(Act.REST)
        self.percent = 0
        self.answered_us = 0
        """When the server last answered a poll."""
        self.trouble = ""
        """Why the server does not answer, "" when it does."""
        self.fresh = False
        """True after a poll that followed the last wish to install: nothing has changed since."""
        self.reboot_asked = False
        """True once this process has asked for the reboot: one that was killed may not have got to it."""
        self.attributes: dict[str, str] = {}
        local = (pace.local_retry_s, pace.local_retry_s * LOCAL_GROWTH, chance)
        self.network = Pause(BackOff(pace.retry_first_s, pace.retry_last_s, chance))
        self.installer = Pause(BackOff(*local))
        self.storage = Pause(BackOff(*local))
        self.metered = ""
        self.chance, self._changed = chance, changed
        self.poll_at_s = 0.0
        self._look_s = 0.0
        self.told = Waiting.NONE
        """Reason to wait with which the last turn ended."""
        self.time_unknown = False
        self._wake = asyncio.Event()
        self._job: asyncio.Task[Change] | None = None
        self._job_phase = Phase.IDLE

    @property
    def update(self) -> Update:
        """Return the update at hand."""
        return self.state.update

    # ---- the loop ----------------------------------------------------------------------------------------

    async def run(self, alive: Callable[[], None]) -> None:
        """Work until cancelled; `alive` is called by each turn, at least every `LONGEST_PAUSE_S`."""
        try:
            while True:
                pause_s = await self.turn()
                alive()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._wake.wait()
        finally:
            await self._stop_job()

    def wake(self) -> None:
        """Have the next turn come now."""
        self._wake.set()

    async def turn(self) -> float:
        """Do all that is due; return for how long nothing else will be, s."""
        from smartcockpit.daemons.ota.acts import Acts

        acts = Acts(self)
        self._wake.clear()
        for _ in range(ACTS_PER_TURN):
            try:
                self._reap()
                if self._poll_is_due():
                    await polling.poll(self)
                following = decide(self.update, self._view())
                await self._drop_unwanted_job()
                if self._job is not None or following.act is Act.REST:
                    self.next = following if self._job is None else Next(Act.REST)
                    await acts.tell_progress(self.next)
                    if decide(self.update, self._view()) == following:
                        break
                elif not await self._do(acts, following):
                    await acts.tell_progress(self.next)
                    break
            except UnavailableError as error:
                self.storage.failed(str(error))
        self._tell_why()
        self._follow_vehicle()
        await self._rest()
        self._changed()
        return self._pause_s()

    async def _do(self, acts: Acts, following: Next) -> bool:
        if following.act is not Act.JUDGE:  # which looks whether it still has to wait
            self.next = Next(Act.REST)
        return await acts.do(following)

    def _view(self) -> View:
        pace, host = self.pace, self.ports.host
        patience_us = int(pace.reboot_s * 1e6) if self.reboot_asked else -1
        return View(
            host.now_us(), host.boot_id, self.ports.vehicle.block(), pace.ask, self.network.reason,
            self.metered, self.installer.reason, self.storage.reason, patience_us,
        )  # fmt: skip

    def _pause_s(self) -> float:
        now = time.monotonic()
        due = [now + LONGEST_PAUSE_S]
        if self.ports.dialogue is not None:
            due.append(max(self.poll_at_s, self.network.until_s))
        due += [pause.until_s for pause in (self.network, self.installer, self.storage) if pause.reason]
        if self.update.phase is Phase.TRIAL:
            due.append(self._look_s)
        if self.update.phase is Phase.REBOOTING:
            due.append(now + self.pace.reboot_s)
        if self.next.waiting is Waiting.INHIBITED:
            due.append(now + 30.0)
        return max(0.0, min(due) - now)

    def _tell_why(self) -> None:
        """Log a new reason to wait; a missing network that is a missing time is called so."""
        if self.next.waiting is Waiting.NETWORK and self.time_unknown:
            self.next = self.next._replace(waiting=Waiting.CLOCK)
        if self.next.waiting not in (self.told, Waiting.NONE):
            version = self.update.version or self.update.filename
            events.WAITING.log(log, version=version, reason=self.next.text)
        self.told = self.next.waiting

    def _follow_vehicle(self) -> None:
        update = self.update
        ready = update.phase is not Phase.DOWNLOADED or (update.inspected and not update.download_only)
        self.ports.vehicle.want(update.phase in GATED and ready)

    async def _rest(self) -> None:
        idle = self._job is None and self.next.waiting is not Waiting.TRIAL
        if idle and self._pause_s() > WORTH_A_START_S:
            await self.ports.net.rest()

    def look_again_in(self, seconds: float) -> None:
        """Have the trial looked at again after that time."""
        self._look_s = time.monotonic() + seconds

    # ---- the server --------------------------------------------------------------------------------------

    def check(self) -> None:
        """Poll now; raises `UnavailableError` without a server."""
        if self.ports.dialogue is None:
            raise UnavailableError("no update server is configured", "set server.url in ota.toml")
        self.poll_at_s = 0.0
        self.network.succeeded()
        self.metered = ""
        self.wake()

    def _poll_is_due(self) -> bool:
        return (
            self.ports.dialogue is not None
            and not self.network.reason
            and not self.storage.reason
            and time.monotonic() >= self.poll_at_s
        )

    async def tell(self, link: str, body: dict[str, object]) -> bool | None:
        """Send feedback; False: the action is unknown there, None: it did not get there."""
        dialogue = self.ports.dialogue
        if dialogue is None or self.network.reason:
            return None
        try:
            return await dialogue.tell(link, body)
        except NetworkError as error:
            self.network_failed(error)
            return None

    def poll_soon(self) -> None:
        """Have the server asked in this turn."""
        self.poll_at_s = 0.0

    def network_failed(self, error: SmartCockpitError) -> None:
        """Wait before the network is used again."""
        at_least_s = error.retry_after_s if isinstance(error, ServerError) else 0.0
        self.time_unknown = getattr(error, "kind", "") == "clock" and self.ports.host.clock_lost()
        missing = "the time is not known yet, so no certificate can be checked"
        why = missing if self.time_unknown else str(error)
        if not self.trouble:
            events.SERVER_TROUBLE.log(log, reason=why)
        self.trouble = why
        self.network.failed(why, at_least_s)

    # ---- state -------------------------------------------------------------------------------------------

    def keep(self, state: State, step: str) -> None:
        """Make `state` the one, durably; raises `UnavailableError`, and then nothing has changed."""
        if state == self.state:
            return
        self.ports.store.save(state)
        self.storage.succeeded()
        self.state = state
        self._changed()
        self.ports.host.step(step)

    def apply(self, change: Change, step: str) -> None:
        """Keep what `change` makes of the update."""
        self.keep(self.state._replace(update=change(self.update)), step)

    # ---- the job -----------------------------------------------------------------------------------------

    def start_job(self, work: Callable[[], Awaitable[Change]]) -> None:
        """Run `work` beside the loop; what it returns is applied to the update when it is done."""

        async def job() -> Change:
            try:
                return await work()
            finally:
                self.wake()

        self.percent = 0
        self._job_phase = self.update.phase
        self._job = asyncio.create_task(job(), name=f"ota {self._job_phase}")

    def progress(self, percent: float) -> None:
        """Note how far the job is."""
        before, self.percent = self.percent, int(min(100.0, max(0.0, percent)))
        if before != self.percent:
            self.wake()

    def _reap(self) -> None:
        if self._job is not None and self._job.done():
            job, self._job = self._job, None
            self.apply(job.result(), f"{self._job_phase} done")

    async def _drop_unwanted_job(self) -> None:
        if self._job is not None and self.update.phase is not self._job_phase:
            await self._stop_job()

    async def _stop_job(self) -> None:
        job, self._job = self._job, None
        if job is not None:
            job.cancel()
            await asyncio.gather(job, return_exceptions=True)
