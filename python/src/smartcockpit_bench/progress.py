# SPDX-License-Identifier: Apache-2.0
"""Says what is being done, and runs other programs so that their failure is one clear sentence.

Long steps get a line when they start and their duration when they end; on a terminal the line also shows the
last thing that the program said.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

_TAIL_LINES = 12
_WRAPPING = ("E: mmdebstrap failed", "E: setup failed")
"""What mmdebstrap says after the reason has been said."""


class StepError(SmartCockpitError):
    """A program that was run for a step failed; the message ends with what it said last."""


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce `what`, and say how long it took."""
    started = time.monotonic()
    print(f"  {what} …", file=sys.stderr, flush=True)
    yield
    took = time.monotonic() - started
    if took >= 1:
        print(f"  {what}: {took:.0f} s", file=sys.stderr, flush=True)


def run(
    argv: Sequence[object],
    *,
    doing: str,
    hint: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
) -> str:
    """Run a program to its end and return what it printed; the words of `argv` may be paths.

    `doing` completes the sentence "… failed". Raises UnavailableError when the program is not installed and
    StepError, with the last lines of its output, when it ends with an error.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            input=stdin,
            env={**os.environ, **(env or {}), "LC_ALL": "C.UTF-8"},
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as missing:
        raise UnavailableError(f"{words[0]} is not installed", "run `make setup`") from missing
    said = done.stdout.decode(errors="replace")
    if done.returncode:
        raise StepError(f"{doing} failed ({explain(words[0], said)})", hint or remedy(said))
    return said


def explain(program: str, said: str) -> str:
    """Boil the output of a failed program down to its most telling line; all of it goes to stderr."""
    lines = [line for line in said.splitlines() if line.strip()]
    for line in lines[-_TAIL_LINES:]:
        print(f"    {program}: {line}", file=sys.stderr)
    if "No space left on device" in said:
        return "no space left on the disk"
    telling = [
        line
        for line in lines
        if line.startswith(("E: ", "error", "ERROR", "mke2fs:")) and not line.startswith(_WRAPPING)
    ]
    return (telling or lines or ["it said nothing"])[-1].strip()


def remedy(said: str) -> str:
    """Name what the reader can do about the failures that people meet."""
    if "No space left on device" in said:
        return f"free some space ({free_gib():.1f} GiB left here) and run the same command again"
    if any(
        sign in said for sign in ("Temporary failure resolving", "Could not connect", "Unable to connect")
    ):
        return "check the network, or name a reachable Debian mirror with MIRROR=…; the next run resumes"
    return "the lines above say why; the next run resumes"


def free_gib() -> float:
    """Free space of the file system that holds the current folder, in GiB."""
    return shutil.disk_usage(".").free / 2**30
