# SPDX-License-Identifier: Apache-2.0
"""The life of a daemon, as a process of its own: start, stop, exit codes, words on the terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import sys
from smartcockpit.runtime.daemon import run_daemon
import asyncio
from smartcockpit.core.errors import UnavailableError
from smartcockpit.runtime.schema import SettingsTable, setting

class Settings(SettingsTable):
    log_level: str = setting("info", "Level.")
    act: str = setting("wait", "What to do.")

class App:
    def __init__(self, settings):
        self.act = settings.act
    async def run(self, life):
        life.ready("started")
        print("ready", flush=True)
        if self.act == "bug":
            raise ValueError("oops")
        if self.act == "missing":
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(60))
                raise UnavailableError("no bus", "start it")
        try:
            await asyncio.sleep(60)
        finally:
            if self.act == "hang":
                await asyncio.sleep(60)
            print("cleaned up", flush=True)

sys.exit(run_daemon("demo", Settings, App))
"""


def start(tmp_path: Path, act: str, *arguments: str) -> subprocess.Popen[str]:
    (tmp_path / "demo.toml").write_text(act)
    environment = os.environ | {"SMARTCOCKPIT_CONFIG_PATH": str(tmp_path)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_in_under_two_seconds(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "act = 'wait'")
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    before = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=5)
    assert (process.returncode, out, err) == (0, "cleaned up\n", "")
    assert time.monotonic() - before < 2


def test_a_clean_up_that_hangs_is_cut_short(tmp_path: Path) -> None:
    process = start(tmp_path, "act = 'hang'")
    assert process.stdout
    process.stdout.readline()
    before = time.monotonic()
    process.terminate()
    _, err = process.communicate(timeout=5)
    assert process.returncode == 1
    assert "clean-up took longer" in err
    assert time.monotonic() - before < 2


@pytest.mark.parametrize(
    ("act", "code", "words"),
    [
        ("act = 'bug'", 1, "stops because of a bug"),
        ("act = 'missing'", 69, "smartcockpit-demo: ERROR: no bus. Hint: start it\n"),
        ("akt = 'wait'", 78, "akt: unknown key. Hint: did you mean 'act'?\n"),
    ],
)
def test_errors_are_told_and_become_exit_codes(tmp_path: Path, act: str, code: int, words: str) -> None:
    process = start(tmp_path, act)
    _, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert words in err
    assert ("Traceback" in err) == (code == 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--version"], 0, "smartcockpit-demo "),
        (["--check-config"], 0, "configuration is valid, read from: "),
        (["--nonsense"], 2, "unrecognized arguments: --nonsense"),
    ],
)
def test_arguments(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    process = start(tmp_path, "act = 'wait'", *arguments)
    out, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert words in out + err


def test_asyncio_comes_without_tls_and_ssl_can_still_be_had_later() -> None:
    code = (
        "import smartcockpit.runtime.lean, sys, asyncio\n"
        "assert '_ssl' not in sys.modules and 'ssl' not in sys.modules\n"
        "async def main():\n"
        "    a, b = __import__('socket').socketpair()\n"
        "    r, w = await asyncio.open_connection(sock=a)\n"
        "    b.send(b'x'); assert await r.read(1) == b'x'\n"
        "    w.close(); await w.wait_closed(); b.close()\n"
        "    p = await asyncio.create_subprocess_exec('true'); assert await p.wait() == 0\n"
        "asyncio.run(main())\n"
        "import ssl; assert ssl.OPENSSL_VERSION\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=20)
