# SPDX-License-Identifier: Apache-2.0
"""What a daemon does not load at its start, and that it has it all the same when it needs it."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from pathlib import Path

import pytest
from smartcockpit.core.defer import defer_module, is_waiting
from smartcockpit.runtime import lean

LEAN = "import sys, smartcockpit.runtime.lean, asyncio\nfrom smartcockpit.core.defer import is_waiting\n"


def run(code: str) -> str:
    """Run `code` after the lean import in a process of its own; return what it prints.

    As standard input: Python 3.13 itself loads `linecache` for code on the command line.
    """
    program = f"import sys; sys.path[:] = {sys.path!r}\n{LEAN}{code}\n"
    return subprocess.run(
        [sys.executable, "-S"], input=program, check=True, capture_output=True, text=True, timeout=30
    ).stdout


@pytest.mark.parametrize("name", sorted(lean.RARE))
def test_constants_given_early_are_the_real_ones(name: str) -> None:
    module = importlib.import_module(name)
    assert all(getattr(module, key) == value for key, value in lean.RARE[name].items())


@pytest.mark.xfail(
    sys.version_info >= (3, 14),
    strict=True,
    reason="Python 3.14 uses inspect in every loop: start costs more",
)
def test_a_loop_runs_without_what_is_rare() -> None:
    code = (
        "asyncio.run(asyncio.sleep(0))\n"
        f"print(*(n for n in {sorted(lean.RARE)} if not is_waiting(sys.modules[n])))"
    )
    assert run(code) == "\n"


@pytest.mark.parametrize(
    "use",
    [
        "print(asyncio.run(asyncio.to_thread(str, 7)))",
        "async def f():\n p = await asyncio.create_subprocess_exec('echo', '7', stdout=asyncio.subprocess.PIPE)\n"
        " print((await p.communicate())[0].decode().strip())\nasyncio.run(f())",
        "from concurrent.futures import ThreadPoolExecutor as T\nprint(T(1).submit(str, 7).result())",
        "import inspect, subprocess\nprint(len(inspect.signature(subprocess.run).parameters) and 7)",
        "import traceback\ntry: 1 / 0\nexcept ZeroDivisionError: print(len(traceback.format_exc()) and 7)",
        "from textwrap import *\nprint(dedent(' 7'))",
        "import asyncio.sslproto\nprint(len(asyncio.sslproto.SSLProtocol.__name__) and 7)",
        "async def f():\n s = await asyncio.start_server(lambda r, w: w.write(b'7') or w.close(), '127.0.0.1', 0)\n"
        " r, w = await asyncio.open_connection('localhost', s.sockets[0].getsockname()[1], happy_eyeballs_delay=0.2)\n"
        " print((await r.read()).decode())\nasyncio.run(f())",
    ],
)
def test_what_is_rare_works_when_it_is_used(use: str) -> None:
    assert run(use) == "7\n"


def test_a_deferred_module_runs_once_and_only_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sc_rare.py").write_text("print('loaded')\nEARLY = 2\nLATE = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert defer_module("sc_rare", EARLY=1)
    import sc_rare  # type: ignore[import-not-found]

    assert isinstance(sc_rare, types.ModuleType)
    assert (sc_rare.EARLY, is_waiting(sc_rare), hasattr(sc_rare, "__wrapped__")) == (1, True, False)
    assert not capsys.readouterr().out
    assert (sc_rare.LATE, sc_rare.EARLY, is_waiting(sc_rare)) == (3, 2, False)
    with pytest.raises(AttributeError):
        _ = sc_rare.nothing
    assert defer_module("sc_rare")
    assert capsys.readouterr().out == "loaded\n"
    monkeypatch.delitem(sys.modules, "sc_rare")


def test_a_module_that_is_not_there_is_not_deferred() -> None:
    assert not defer_module("sc_no_such_module")
    assert "sc_no_such_module" not in sys.modules
