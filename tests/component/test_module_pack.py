# SPDX-License-Identifier: Apache-2.0
"""The module pack of an installed SmartCockpit: what it changes (nothing but time), and everything that may be
wrong with it."""

from __future__ import annotations

import compileall
import importlib.util
import json
import marshal
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = tomllib.loads((ROOT / "python/pyproject.toml").read_text())["project"]["scripts"]
NOT_PACKED = (".vehicle.", ".player.")  # a tool for the desk; a process that spends its start on GStreamer
STARTS = sorted(
    entry.partition(":")[0] for entry in SCRIPTS.values() if not any(part in entry for part in NOT_PACKED)
)
PACKED = "smartcockpit.runtime.module_pack"
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}


def make_site(site: Path, without: str = "") -> Path:
    """Lay out what `make install` and the distribution's packages leave in site-packages, byte-code too."""
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "python/src/smartcockpit", site / "smartcockpit", ignore=skip)
    for package in {"dbus_next"} - {without}:
        shutil.copytree(Path(sysconfig.get_path("purelib"), package), site / package, ignore=skip)
    info = site / "smartcockpit-1.dist-info"
    info.mkdir()
    lines = (f"{name} = {entry}" for name, entry in SCRIPTS.items())
    (info / "entry_points.txt").write_text("\n".join(["[console_scripts]", *lines]))
    assert compileall.compile_dir(site, quiet=1)
    return site


def write_pack(site: Path) -> subprocess.CompletedProcess[str]:
    writer = site / "smartcockpit/runtime/module_pack_writer.py"
    return run(["-SPE", str(writer), "--site", str(site)])


def pack_of(site: Path) -> Path:
    return site / f"smartcockpit/__pycache__/modules.{sys.implementation.cache_tag}.pack"


def run(arguments: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], env=ENVIRONMENT | more, capture_output=True, text=True, timeout=60
    )


def python(site: Path, code: str, *flags: str, **more: str) -> str:
    """Run `code` as an installed program runs its own; return what it prints."""
    start = f"import sys\nsys.path.append({str(site)!r})\nfrom smartcockpit.runtime import module_pack\n"
    done = run(["-SP", *flags, "-c", f"{start}module_pack.use()\n{code}"], **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with its pack; a test that breaks something mends it."""
    made = make_site(tmp_path_factory.mktemp("installed") / "site")
    assert write_pack(made).stderr == ""
    return made


@pytest.fixture
def pack(site: Path) -> object:
    """The pack's path; whatever a test does to it is undone."""
    place = pack_of(site)
    whole = place.read_bytes()
    yield place
    place.write_bytes(whole)


@pytest.mark.parametrize("start", STARTS)
def test_all_that_a_program_imports_comes_from_the_pack(site: Path, start: str) -> None:
    code = (
        f"before = set(sys.modules)\nimport {start}\n"
        "for name in set(sys.modules) - before:\n"
        "    spec = getattr(sys.modules[name], '__spec__', None)\n"
        "    if spec and (spec.origin or '').endswith('.py'):\n"
        f"        if type(spec.loader).__module__ != {PACKED!r}: print(name)"
    )
    assert python(site, code) == ""


DESCRIBE = """
import importlib.resources, inspect, json, traceback
import smartcockpit.daemons.canbridge.__main__, smartcockpit.cli.__main__
from smartcockpit.core.defer import is_waiting
from importlib.machinery import SourceFileLoader

def describe(module):
    spec = module.__spec__
    return [module.__name__, module.__file__, module.__cached__, module.__package__, module.__doc__,
        list(getattr(module, "__path__", [])), spec.name, spec.origin, spec.cached, spec.has_location, spec.parent,
        spec.submodule_search_locations, isinstance(spec.loader, SourceFileLoader) and spec.loader.path,
        is_waiting(module), sorted(vars(module))]

known = [m for m in sys.modules.values() if str(getattr(getattr(m, "__spec__", None), "origin", "")).endswith(".py")]
found = {m.__name__: describe(m) for m in known if m.__name__ != "smartcockpit.runtime.module_pack"}
import smartcockpit.core.nearest, asyncio.base_events
try:
    smartcockpit.core.nearest.nearest(None, [])
except AttributeError:
    trace = traceback.format_exc()
source = inspect.getsource(asyncio.base_events)
typed = importlib.resources.files("smartcockpit").joinpath("py.typed").is_file()
code = smartcockpit.core.nearest.nearest.__code__
print(json.dumps([found, trace, source, typed, code.co_filename, code.co_firstlineno]))
"""


def test_packed_and_unpacked_modules_are_alike(site: Path, pack: Path) -> None:
    packed = json.loads(python(site, DESCRIBE))
    pack.unlink()
    unpacked = json.loads(python(site, DESCRIBE))
    assert len(packed[0]) > 100
    assert packed == unpacked
    assert "return by_folded" not in packed[1]
    assert "word.casefold()" in packed[1], "a trace shows the source line"


def rewrite_index(change: Callable[[tuple[int, int, list[str]]], object]) -> Callable[[bytes], bytes]:
    def rewrite(data: bytes) -> bytes:
        head = data.index(b"\n") + 9
        size = int.from_bytes(data[head - 8 : head], "little")
        who, entries = marshal.loads(data[head : head + size])
        index = marshal.dumps((change(who), entries))
        return data[: head - 8] + len(index).to_bytes(8, "little") + index + data[head + size :]

    return rewrite


def code_at(data: bytes) -> int:
    head = data.index(b"\n") + 9
    return head + int.from_bytes(data[head - 8 : head], "little")


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (lambda data: b"", "not used: it is damaged"),
        (lambda data: data[:20], "not used: it is damaged"),
        (lambda data: data[:5000], "not used: "),
        (lambda data: data[: len(data) // 2], "in use"),
        (lambda data: data[: code_at(data)] + bytes(len(data) - code_at(data)), "in use"),
        (lambda data: bytes(len(data)), "not used: it is damaged"),
        (lambda data: data[:40] + b"\xff" * (len(data) - 40), "not used: "),
        (lambda data: data.replace(b"pack 1", b"pack 9", 1), "not used: it is damaged, or of another format"),
        (rewrite_index(lambda who: (who[0] + 1, *who[1:])), "not used: it was made by another Python"),
        (rewrite_index(lambda who: (*who[:2], [*who[2], "/x"])), "not used: it was made by another Python"),
        (rewrite_index(lambda who: 7), "not used: it was made by another Python"),
    ],
)
def test_a_pack_that_is_none_for_us_changes_nothing(
    site: Path, pack: Path, damage: Callable[[bytes], bytes], state: str
) -> None:
    pack.write_bytes(damage(pack.read_bytes()))
    code = "from smartcockpit.daemons.canbridge.app import NAME\nimport json, inspect\nprint(module_pack.state, NAME)"
    said = python(site, code)
    assert said.startswith(state)
    assert said.endswith("org.smartcockpit.CanBridge1\n")


def test_without_a_pack_or_allowed_to_read_none_it_says_so(site: Path, pack: Path) -> None:
    pack.unlink()
    assert python(site, "print(module_pack.state)") == "there is none\n"
    pack.mkdir()
    assert "Is a directory" in python(site, "print(module_pack.state)")
    pack.rmdir()


def test_other_paths_and_other_optimisation_are_another_python(site: Path) -> None:
    assert python(site, "print(module_pack.state)").startswith("in use")
    for flags, more in (((), {"PYTHONPATH": "/x"}), (("-O",), {}), ((), {"PYTHONOPTIMIZE": "1"})):
        assert python(site, "print(module_pack.state)", *flags, **more).startswith("not used: it was made by")


def test_a_module_that_is_another_on_disk_is_read_from_disk(site: Path) -> None:
    source = site / "smartcockpit/core/clock.py"
    code = (
        "import smartcockpit.core.clock as clock, smartcockpit.core.errors as errors\n"
        "print(getattr(clock, 'EXTRA', 0), *(type(m.__loader__).__name__ for m in (clock, errors)))"
    )
    text, before = source.read_text(), source.stat()
    assert python(site, code) == "0 _Loader _Loader\n"
    source.write_text(text + "\nEXTRA = 7\n")
    assert python(site, code) == "7 SourceFileLoader _Loader\n"
    source.write_text(text)
    os.utime(source, (before.st_mtime + 5, before.st_mtime + 5))
    assert python(site, code) == "0 SourceFileLoader _Loader\n"
    source.unlink()
    assert run(
        ["-SP", "-c", f"import sys; sys.path.append({str(site)!r}); import smartcockpit.core.clock"]
    ).returncode
    source.write_text(text)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert python(site, code) == "0 _Loader _Loader\n"


def test_it_is_read_only_and_works_on_a_read_only_file_system(site: Path) -> None:
    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*inside, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine makes no mount namespaces")
    code = f"""
import sys; sys.path.append({str(site)!r})
from smartcockpit.runtime import module_pack
module_pack.use()
import smartcockpit.daemons.canbridge.app, os
try: open({str(pack_of(site))!r}, "r+b")
except OSError as error: print(module_pack.state[:6], error.strerror)
"""
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
    done = subprocess.run(
        [*inside, mount, site, sys.executable, "-SP", "-c", code],
        env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == "in use Read-only file system\n", done.stderr


def test_the_writer_makes_the_same_pack_again_and_leaves_nothing_beside_it(site: Path, pack: Path) -> None:
    before = pack.read_bytes()
    assert write_pack(site).returncode == 0
    assert pack.read_bytes() == before
    assert not list(pack.parent.glob("*.partial"))


def test_the_writer_names_a_program_that_cannot_start_and_packs_the_others(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", without="dbus_next")
    done = write_pack(site)
    assert done.returncode == 0
    assert "without smartcockpit.daemons.canbridge.__main__: No module named 'dbus_next'" in done.stderr
    code = "import smartcockpit.cli.__main__ as cli\nprint(type(cli.__loader__).__name__)"
    assert python(site, code) == "_Loader\n"


def test_an_installed_program_uses_the_pack_and_says_so_when_asked(site: Path, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("install_wheel", ROOT / "python/install_wheel.py")
    assert spec
    assert spec.loader
    install_wheel = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(install_wheel)
    program = tmp_path / "smartcockpit-canbridge"
    module, _, attribute = SCRIPTS["smartcockpit-canbridge"].partition(":")
    program.write_text(
        install_wheel.PROGRAM.format(
            interpreter=sys.executable, site=str(site), module=module, attribute=attribute
        )
    )
    program.chmod(0o755)
    (tmp_path / "canbridge.toml").write_text('log_level = "debug"\n')
    done = subprocess.run(
        [program, "--check-config"], env=ENVIRONMENT | {"SMARTCOCKPIT_CONFIG_PATH": str(tmp_path)},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0
    assert len(re.findall("DEBUG: module pack: in use, [0-9]+ modules\n", done.stderr)) == 1
