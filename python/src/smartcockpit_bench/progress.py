# SPDX-License-Identifier: Apache-2.0
"""Says what is being done, and runs other programs so that their failure is one clear sentence.

Long steps get a line when they start and their duration when they end; on a terminal the line also shows the
last thing that the program said.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

from smartcockpit_bench.places import BUILD, ROOT

_TAIL_LINES = 12
GROUP_ENDS_S = 10.0
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
        process = subprocess.Popen(
            words,
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {}), "LC_ALL": "C.UTF-8"},
            cwd=cwd,
            # Apart from us: mmdebstrap, when it fails, hangs up on its whole process group.
            process_group=0,
        )
    except FileNotFoundError as missing:
        raise UnavailableError(f"{words[0]} is not installed", "run `make setup`") from missing
    with process:
        try:
            heard = _show_lines(process) if stdin is None and sys.stderr.isatty() else b""
            output, _ = process.communicate(stdin)
        except BaseException:
            end_group(process)
            raise
    said = (heard + output).decode(errors="replace")
    if process.returncode:
        raise StepError(f"{doing} failed ({explain(words[0], said)})", hint or remedy(said))
    return said


def _show_lines(process: subprocess.Popen[bytes]) -> bytes:
    """Show what the program says, each line over the one before, until it says no more; return all of it."""
    heard = []
    room = shutil.get_terminal_size().columns - 6
    for line in process.stdout or ():
        heard.append(line)
        shown = "".join(c for c in line.decode(errors="replace").rstrip() if c.isprintable())[:room]
        print(f"\r\033[2K    {shown}", end="", file=sys.stderr, flush=True)
    print("\r\033[2K", end="", file=sys.stderr, flush=True)
    return b"".join(heard)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Pass Ctrl-C on to a program and all that it started; what has not ended after 10 s is killed."""
    for how in (signal.SIGINT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=GROUP_ENDS_S)
            return


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
        return f"free some space ({free_gib():.1f} GiB left in {BUILD.name}/) and run the same command again"
    if any(
        sign in said for sign in ("Temporary failure resolving", "Could not connect", "Unable to connect")
    ):
        return "check the network, or name a reachable Debian mirror with MIRROR=…; the next run resumes"
    if any(sign in said for sign in ("Read-only file system", "Permission denied")):
        return f"make {BUILD} writable and run the same command again"
    return "the lines above say why; the next run resumes"


def free_gib() -> float:
    """Free space of the file system that holds what is built, in GiB."""
    return shutil.disk_usage(BUILD if BUILD.is_dir() else ROOT).free / 2**30
