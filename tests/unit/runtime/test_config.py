# SPDX-License-Identifier: Apache-2.0
"""Settings: layers, origins, and what a person who mistyped is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from smartcockpit.core.errors import ConfigError
from smartcockpit.runtime import config
from smartcockpit.runtime.schema import SettingError, SettingsTable, flatten, setting
from smartcockpit.runtime.settings_doc import default_toml, reference


class Bus(SettingsTable):
    interface: str = setting("socketcan", "How to reach the bus.", choices=("socketcan", "slcan"))
    options: dict[str, str | int | float | bool] = setting(dict, "More for python-can.", example="{ a = 1 }")


class Tick(SettingsTable):
    gather_ms: float = setting(2.0, "Gathering time.", low=0, high=10)


class Settings(SettingsTable):
    log_level: str = setting("info", "Lowest level logged.")
    retries: int = setting(3, "How often.", low=0, high=9)
    names: tuple[str, ...] = setting((), "Some names.")
    on: bool = setting(True, "On or off.")
    tick: Tick = setting(Tick, "Timing.")
    buses: dict[str, Bus] = setting(dict, "One table a bus.", example="chassis")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(*folders: Path) -> config.Loaded[Settings]:
    return config.load("demo", Settings, folders)


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path).settings == Settings()


def test_mark_at_the_start_of_a_file_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "demo.toml").write_bytes(b"\xef\xbb\xbfretries = 5\r\n")
    assert load(tmp_path).settings.retries == 5


def test_bottomless_nesting_is_one_sentence(tmp_path: Path) -> None:
    write(tmp_path, "demo.toml", "names = " + "[" * 20_000 + "]" * 20_000)
    with pytest.raises(ConfigError, match=r"demo\.toml: broken TOML: nested too deeply"):
        load(tmp_path)


def test_later_layers_and_drop_ins_win_and_origins_tell(tmp_path: Path) -> None:
    usr, etc = tmp_path / "usr", tmp_path / "etc"
    write(usr, "demo.toml", 'retries = 1\nnames = ["a"]\n[buses.x]\ninterface = "slcan"\n')
    write(etc, "demo.d/20-b.toml", "retries = 4\n[tick]\ngather_ms = 5\n")
    write(etc, "demo.d/10-a.toml", "retries = 2\n[buses.x.options]\nbitrate = 500000\n[buses.y]\n")
    loaded = load(usr, etc)
    assert loaded.settings == Settings(
        retries=4, names=("a",), tick=Tick(gather_ms=5.0),
        buses={"x": Bus(interface="slcan", options={"bitrate": 500000}), "y": Bus()},
    )  # fmt: skip
    assert loaded.origins["retries"].endswith("20-b.toml")
    assert loaded.origins["buses.x.interface"].endswith("usr/demo.toml")
    rows = {key: (value, origin) for key, value, origin in config.rows(loaded)}
    assert rows["on"] == (True, config.BUILT_IN)
    assert rows["buses.x.options.bitrate"][1].endswith("10-a.toml")
    assert len(loaded.files) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("retrys = 1", ["demo.toml", "retrys: unknown key", "did you mean 'retries'?"]),
        ("[buses.x]\ninterfase = 'slcan'", ["buses.x.interfase", "did you mean 'interface'?"]),
        ("[buses.x]\ninterface = 'slcam'", ["buses.x.interface", "'slcam'", "did you mean 'slcan'?"]),
        ("retries = '1'", ["demo.toml", "retries: must be a whole number, is '1'"]),
        ("retries = true", ["retries: must be a whole number"]),
        ("retries = 10", ["retries: 10 is out of range", "from 0 to 9"]),
        ("on = 1", ["on: must be true or false"]),
        ("names = 'a'", ["names: must be a list"]),
        ("names = [1]", ["names: must be a string, is 1"]),
        ("tick = 1", ["tick: must be a table", "[tick]"]),
        ("tick.gather_ms = nan", ["tick.gather_ms: nan is out of range"]),
        ("buses = []", ["buses: must be a table"]),
        ("retries = 1\nretries = 2", ["demo.toml: broken TOML", "line 2"]),
        ("retries = ", ["broken TOML", "line 1"]),
    ],
)
def test_what_does_not_fit_names_file_key_and_remedy(tmp_path: Path, text: str, words: list[str]) -> None:
    write(tmp_path, "demo.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "demo.toml", "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"demo\.toml: byte 0 is not UTF-8"):
        load(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError, match=r"demo\.toml: cannot be read: Is a directory"):
        load(tmp_path)


def test_environment_replaces_the_layers(tmp_path: Path) -> None:
    assert config.layers({}) == config.LAYERS
    assert config.layers({"SMARTCOCKPIT_CONFIG_PATH": f"{tmp_path}:/x"}) == (str(tmp_path), "/x")


def test_generated_default_file_changes_nothing_and_uncommented_it_still_loads(tmp_path: Path) -> None:
    text = default_toml("demo", Settings)
    path = write(tmp_path, "demo.toml", text)
    assert load(tmp_path).settings == Settings()
    path.write_text(
        "\n".join(line[1:] if line[:1] == "#" and line[1:2] != " " else line for line in text.splitlines())
    )
    settings = load(tmp_path).settings
    assert settings == Settings(buses={"chassis": Bus(options={"a": 1})})


def test_reference_lists_every_setting() -> None:
    page = reference("demo", Settings)
    for key in ("log_level", "tick.gather_ms", "buses.<name>.interface", "From 0 to 9"):
        assert key in page


TOML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["retries", "names", "on", "tick", "buses", "x"]), TOML_VALUES))
def test_any_tree_is_taken_or_refused_with_a_key(tree: dict[str, object]) -> None:
    try:
        flatten(Settings, tree)
    except SettingError as error:
        assert error.key  # noqa: PT017
