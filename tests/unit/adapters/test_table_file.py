# SPDX-License-Identifier: Apache-2.0
"""Loading of compiled vehicles: which one, whether it may be trusted, and when it is compiled anew."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from smartcockpit.adapters import table_file
from smartcockpit.adapters.table_file import VehiclePlaces, load_table, load_vehicle
from smartcockpit.core.errors import ConfigError, UnavailableError
from smartcockpit.core.table import FORMAT
from support.mini_vehicle import SPEED, write_table

DEMO = Path(__file__).resolve().parents[3] / "dbc"


@pytest.fixture
def places(tmp_path: Path) -> VehiclePlaces:
    return VehiclePlaces(
        (tmp_path / "etc/vehicles", tmp_path / "share/vehicles"),
        (tmp_path / "lib/vehicles",),
        (tmp_path / "state", tmp_path / "run"),
    )


def sources(folder: Path, text: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "vehicle.toml").write_text(text)
    return folder


def as_if(path: Path, seconds: float) -> None:
    stamp = path.stat().st_mtime + seconds
    os.utime(path, (stamp, stamp))


async def test_a_shipped_table_is_loaded(places: VehiclePlaces) -> None:
    sources(places.sources[1] / "mini")
    write_table(places.tables[0] / "mini.py")
    table = await load_vehicle("mini", places)
    assert (table.name, table.signals[0].path) == ("mini", SPEED)


async def test_a_table_without_sources_and_a_path_are_enough(places: VehiclePlaces, tmp_path: Path) -> None:
    path = write_table(places.tables[0] / "mini.py")
    assert (await load_vehicle("mini", places)).name == "mini"
    assert (await load_vehicle(str(path), places)).name == "mini"


async def test_an_unknown_vehicle_names_the_nearest(places: VehiclePlaces) -> None:
    write_table(places.tables[0] / "mini.py")
    with pytest.raises(ConfigError, match=r"no vehicle 'minni'.*did you mean 'mini'"):
        await load_vehicle("minni", places)


@pytest.mark.parametrize("place", ["tables/mini.py", "tables", "tables/__pycache__"])
def test_a_table_that_others_may_write_is_refused(tmp_path: Path, place: str) -> None:
    path = write_table(tmp_path / "tables/mini.py")
    (tmp_path / "tables/__pycache__").mkdir()
    (tmp_path / place).chmod(0o777)
    with pytest.raises(ConfigError, match=r"can be written by others.*chmod go-w"):
        load_table(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FORMAT = 99", "table format 99.*Hint: compile the vehicle folder again"),
        (f"FORMAT = {FORMAT}", "damaged"),
        ("this is no Python", "no compiled vehicle.*SyntaxError"),
        ("1 / 0", "no compiled vehicle.*ZeroDivisionError"),
    ],
)
def test_a_broken_table_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mini.py"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        load_table(path)
    assert str(path) in str(caught.value)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mini\.py: no such table"):
        load_table(tmp_path / "mini.py")


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for the compiler, which is another program; tests below use the real one once."""
    done: list[str] = []

    async def compile_vehicle(folder: str, target: str) -> None:
        done.append(folder)
        if "broken" in Path(folder, "vehicle.toml").read_text():
            raise ConfigError(f"{folder} cannot be compiled: broken", "mend it")
        write_table(Path(target))
        Path(target).with_suffix(".stamp").write_text(table_file._stamp(folder))

    monkeypatch.setattr(table_file, "compile_vehicle", compile_vehicle)
    return done


async def test_own_sources_are_compiled_once_and_again_when_they_change(
    places: VehiclePlaces, compilations: list[str]
) -> None:
    write_table(places.tables[0] / "mini.py")
    folder = sources(places.sources[0] / "mini")
    await load_vehicle("mini", places)
    await load_vehicle("mini", places)
    assert compilations == [str(folder)], "our own sources win over the image's table"
    (folder / "body.dbc").write_text("")
    await load_vehicle("mini", places)
    assert len(compilations) == 2
    as_if(folder / "body.dbc", -1000)
    await load_vehicle("mini", places)
    assert len(compilations) == 3, "older files are another version as well"


async def test_shipped_sources_are_compiled_when_newer(
    places: VehiclePlaces, compilations: list[str]
) -> None:
    table = write_table(places.tables[0] / "mini.py")
    folder = sources(places.sources[1] / "mini")
    as_if(table, 10)
    await load_vehicle("mini", places)
    assert compilations == []
    as_if(table, -1000)
    await load_vehicle("mini", places)
    assert compilations == [str(folder)]


async def test_a_shipped_table_is_better_than_none(places: VehiclePlaces, compilations: list[str]) -> None:
    table = write_table(places.tables[0] / "mini.py")
    sources(places.sources[1] / "mini", "# broken")
    as_if(table, -1000)
    assert (await load_vehicle("mini", places)).name == "mini"
    assert len(compilations) == 1


async def test_a_shipped_table_of_another_format_is_compiled_anew(
    places: VehiclePlaces, compilations: list[str]
) -> None:
    sources(places.sources[1] / "mini")
    as_if(write_table(places.tables[0] / "mini.py", format_=99), 10)
    assert (await load_vehicle("mini", places)).name == "mini"
    assert len(compilations) == 1


@pytest.mark.slow
async def test_data_that_cannot_be_written_leave_the_memory(
    places: VehiclePlaces, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As root nothing is read-only but what is no folder, hence the files in the place of both."""
    shutil.copytree(DEMO / "demo", places.sources[0] / "demo")
    (tmp_path / "state").touch()
    assert (await load_vehicle("demo", places)).name == "demo"
    assert "state/demo.py: cannot be written: File exists" in caplog.text
    shutil.rmtree(tmp_path / "run")
    (tmp_path / "run").touch()
    with pytest.raises(UnavailableError, match=r"run/demo\.py: cannot be written.*Hint: is the disk full"):
        await load_vehicle("demo", places)
    write_table(places.tables[0] / "demo.py")
    shutil.move(places.sources[0] / "demo", places.sources[1] / "demo")
    as_if(places.tables[0] / "demo.py", -1000)
    assert (await load_vehicle("demo", places)).name == "mini", "the table of the image is better than none"


@pytest.mark.slow
async def test_the_real_compiler_makes_the_demo(places: VehiclePlaces, tmp_path: Path) -> None:
    shutil.copytree(DEMO / "vss", tmp_path / "share/vss")
    shutil.copytree(DEMO / "demo", tmp_path / "share/vehicles/demo")
    table = await load_vehicle("demo", places)
    assert table.name == "demo"
    assert len(table.signals) >= 60
    (tmp_path / "share/vehicles/demo/vehicle.toml").write_text("nonsense")
    with pytest.raises(
        ConfigError, match=r"cannot be compiled: .*vehicle\.toml.*Hint: smartcockpit-vehicle check"
    ):
        await load_vehicle("demo", places)
