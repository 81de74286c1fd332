# SPDX-License-Identifier: Apache-2.0
"""Whatever comes from a bus, and however broken a table is, the C code stays within its memory."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from smartcockpit.adapters.canreceive import Library, NoLibraryError
from smartcockpit.core.layout import BitField
from smartcockpit.core.plan import FieldPlan, Linear, MappedSignal, MessagePlan
from smartcockpit.core.signals import Datatype, SignalSpec
from smartcockpit.core.table import NativeTable
from smartcockpit.vehicle.native_table import native_table
from support.native import ROOT, library
from support.vehicles import DEMO, compiled

HERE, SOURCES = Path(__file__).parent, ROOT / "python/native"
SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
ROUNDS = 800


def floats() -> NativeTable:
    """Floats that become whole numbers: where a conversion could overflow."""
    fields, mapped = [], []
    for number, (start, size) in enumerate(((0, 64), (64, 32), (96, 16))):
        fields.append(FieldPlan(f"F{number}", BitField(start, size, is_float=True)))
        spec = SignalSpec(f"Vehicle.F{number}", Datatype.INT32)
        line = Linear(Fraction(3), Fraction(1, 3), -1e6, 1e6)
        mapped.append(MappedSignal(number, number, spec, line))
    return native_table([MessagePlan(0, 0x100, "M", 14, tuple(fields), tuple(mapped))])


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    program = tmp_path_factory.mktemp("fuzz") / "fuzz"
    sources = [HERE / "fuzz.c", *sorted(SOURCES.glob("*.c"))]
    compiler = ["cc", "-std=gnu11", "-g", "-O1", *SANITIZERS, f"-I{SOURCES}", *map(str, sources)]
    done = subprocess.run([*compiler, "-o", str(program)], capture_output=True, text=True, check=False)
    if done.returncode and ("sanitize" in done.stderr or "cannot find -l" in done.stderr):
        pytest.skip(f"this compiler has no sanitizers: {done.stderr.splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    return program


@pytest.mark.parametrize("which", ["powertrain", "body", "floats"])
def test_hostile_frames_and_broken_tables_stay_within_bounds(fuzz: Path, tmp_path: Path, which: str) -> None:
    tables = [*compiled(DEMO).native, floats()]
    file = tmp_path / "table"
    file.write_bytes(tables[["powertrain", "body", "floats"].index(which)].data)
    for seed in ("1", "2"):
        done = subprocess.run(
            [str(fuzz), str(file), seed, str(ROUNDS)], capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr[:3000]
        taken, readings = map(int, done.stdout.split()[:2])
        assert taken > ROUNDS // 4
        assert readings > taken


def test_a_broken_table_is_refused() -> None:
    data = floats().data
    library().open_decoder(data)
    for broken in (b"", data[:-1], data + b"\0", b"X" + data[1:], bytes(len(data))):
        with pytest.raises(NoLibraryError, match="does not take this vehicle's table"):
            library().open_decoder(broken)


def test_a_library_of_another_version_is_refused(tmp_path: Path) -> None:
    names = ("receive", "feed", "flush", "forget", "intake_size", "decoder_size", "open", "version")
    source = tmp_path / "other.c"
    source.write_text("".join(f"int canreceive_{name}(void) {{ return 7; }}\n" for name in names))
    other = source.with_suffix(".so")
    subprocess.run(["cc", "-shared", "-fPIC", str(source), "-o", str(other)], check=True)
    with pytest.raises(NoLibraryError, match=r"other\.so has version 7, not 1"):
        Library(str(other))
