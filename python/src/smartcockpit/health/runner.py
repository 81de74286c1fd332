# SPDX-License-Identifier: Apache-2.0
"""Runs all checks side by side until each has passed, one has failed for good, or the time is up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from smartcockpit.core.errors import SmartCockpitError
from smartcockpit.core.verdict import UNFINISHED, CheckResult, Outcome
from smartcockpit.health.check import (
    ASK_AGAIN_S,
    LOOK_S,
    SELDOM_S,
    Check,
    CheckFailedError,
    CheckSkippedError,
    Cockpit,
)


async def examine(
    checks: Sequence[Check], cockpit: Cockpit, limit_s: float
) -> tuple[Outcome, tuple[CheckResult, ...]]:
    """Return the outcome and a result per check, in the order of `checks`."""
    runs = [Run(check, cockpit) for check in checks]
    tasks = {asyncio.create_task(run.until_settled(), name=run.name) for run in runs}
    waiting, end_s = set(tasks), time.monotonic() + limit_s
    while waiting and not any(run.hopeless for run in runs):
        done, waiting = await asyncio.wait(
            waiting, timeout=max(0.0, end_s - time.monotonic()), return_when=asyncio.FIRST_COMPLETED
        )
        if not done:
            break
    for task in waiting:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for run in runs:
        run.excuse()
    for run in runs:
        if run.last_word and all(each.ok for each in runs):
            await run.look_again()
    if runs and all(run.ok for run in runs):
        outcome = Outcome.GOOD
    else:
        outcome = Outcome.FAILED if any(run.hopeless for run in runs) else Outcome.TIMEOUT
    return outcome, tuple(run.result() for run in runs)


class Run:
    """One check being asked until it is settled."""

    def __init__(self, check: Check, cockpit: Cockpit) -> None:
        self.name, self._look, self._cockpit = check.name, check.look, cockpit
        self.last_word = check.last_word
        self.ok = self.hopeless = self._skipped = self._excused = False
        self._detail = UNFINISHED
        self._started_s = self._ended_s = time.monotonic()

    async def until_settled(self) -> None:
        """Look again and again."""
        pause_s = ASK_AGAIN_S
        while not await self._settled():
            await asyncio.sleep(pause_s)
            pause_s = min(SELDOM_S, 1.5 * pause_s)

    async def look_again(self) -> None:
        """Look once more, now that all have passed: what passed first may have crashed since."""
        self.ok = False
        await self._settled()

    def excuse(self) -> None:
        """Skip, now that the time is up, what need not work."""
        if self._excused and not self.ok:
            self._detail, self.ok, self._skipped = f"skipped: {self._detail}", True, True

    async def _settled(self) -> bool:
        self._excused = False
        try:
            async with asyncio.timeout(LOOK_S):
                self._detail, self.ok = str(await self._look(self._cockpit)), True
        except CheckSkippedError as skipped:
            self._detail, self.ok, self._skipped = f"skipped: {skipped}", True, True
        except CheckFailedError as failed:
            self._detail, self.hopeless, self._excused = str(failed), failed.final, failed.excused
        except SmartCockpitError as error:
            self._detail = str(error)
        except TimeoutError:
            self._detail = f"no answer within {LOOK_S:g} s"
        except Exception as bug:  # a product's check, which may do anything, is one that fails
            self._detail, self.hopeless = f"the check is broken: {type(bug).__name__}: {bug}", True
        self._ended_s = time.monotonic()
        return self.ok or self.hopeless

    def result(self) -> CheckResult:
        """Return what is known now."""
        took_ms = round((self._ended_s - self._started_s) * 1000)
        return CheckResult(self.name, self.ok, self._detail[:500], took_ms, self._skipped)
