# SPDX-License-Identifier: Apache-2.0
"""GPIO lines by gpiozero's mock factory and by files: polarity, pull, outputs that do not glitch, what breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from smartcockpit.adapters import gpiozero_lines
from smartcockpit.adapters.gpio_files import FileLines
from smartcockpit.adapters.gpio_lines import LinesLostError, Wiring
from smartcockpit.adapters.gpiozero_lines import GpioZeroLines
from smartcockpit.adapters.thermal import temperature_c

INPUTS = {"ignition": Wiring(17, active_low=True, pull="up"), "reverse": Wiring(27)}
OUTPUTS = {"amplifier": Wiring(22), "lamp": Wiring(23, active_low=True)}


@pytest.fixture
def mock() -> Any:
    gpiozero_lines._load_pins()
    from gpiozero.pins.mock import MockFactory

    return MockFactory()


@pytest.fixture
def lines(mock: Any) -> GpioZeroLines:
    return GpioZeroLines(mock, "mock", INPUTS, OUTPUTS, failures=(ConnectionError,))


def test_input_at_rest_is_off_and_polarity_counts(mock: Any, lines: GpioZeroLines) -> None:
    assert (lines.read("ignition"), lines.read("reverse")) == (False, False)
    mock.pin(17).drive_low()
    mock.pin(27).drive_high()
    assert (lines.read("ignition"), lines.read("reverse")) == (True, True)
    assert (mock.pin(17).pull, mock.pin(27).pull) == ("up", "floating")


def test_outputs_begin_off_in_their_own_polarity(mock: Any, lines: GpioZeroLines) -> None:
    assert (mock.pin(22).state, mock.pin(23).state) == (False, True)
    lines.write("amplifier", True)
    lines.write("lamp", True)
    assert (mock.pin(22).state, mock.pin(23).state) == (True, False)


class Unplugged:
    """A pin whose chip has gone."""

    @property
    def state(self) -> bool:
        raise ConnectionError("no such device")

    @state.setter
    def state(self, _: bool) -> None:
        raise ConnectionError("no such device")


def test_a_pin_that_fails_is_a_lost_line_that_is_named(lines: GpioZeroLines) -> None:
    lines._inputs["reverse"] = (Unplugged(), INPUTS["reverse"])
    lines._outputs["lamp"] = (Unplugged(), OUTPUTS["lamp"])
    with pytest.raises(LinesLostError, match=r"line 27 \(reverse\) of mock: no such device"):
        lines.read("reverse")
    with pytest.raises(LinesLostError, match=r"line 23 \(lamp\)"):
        lines.write("lamp", True)


def test_a_line_that_cannot_be_claimed_is_named_and_the_factory_closed() -> None:
    class Busy:
        closed = False

        def pin(self, number: int) -> Any:
            raise ConnectionError("GPIO busy")

        def close(self) -> None:
            Busy.closed = True

    with pytest.raises(LinesLostError, match=r"line 17 \(ignition\) of chip: GPIO busy"):
        GpioZeroLines(Busy(), "chip", INPUTS, {}, failures=(ConnectionError,))
    assert Busy.closed


def test_a_device_that_is_gone_is_noticed(mock: Any, tmp_path: Path) -> None:
    device = tmp_path / "gpiochip0"
    device.touch()
    lines = GpioZeroLines(mock, "chip", {}, {}, device=str(device))
    lines.check()
    device.unlink()
    with pytest.raises(LinesLostError, match="is gone"):
        lines.check()


@pytest.mark.parametrize("chip", ["/dev/null", "/dev/gpiochip999", "/no/such", "label-that-nobody-has"])
def test_a_chip_that_is_not_there_is_said_so(chip: str, tmp_path: Path) -> None:
    pytest.importorskip("lgpio", reason="there is no wheel of lgpio for this Python")
    code = (
        "import sys\nfrom smartcockpit.adapters.gpiozero_lines import open_lgpio\n"
        "from smartcockpit.core.errors import UnavailableError\n"
        "try:\n open_lgpio(sys.argv[1], {}, {})\n"
        "except UnavailableError as error:\n print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, chip], env={"RUNTIME_DIRECTORY": str(tmp_path)}, cwd="/",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.startswith(f"there is no GPIO chip {chip}")


def test_nothing_of_gpiozero_but_pins_is_loaded(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom smartcockpit.adapters.gpiozero_lines import open_mock\nopen_mock({}, {})\n"
        "print([m for m in ('colorzero', 'gpiozero.boards', 'gpiozero.output_devices', 'random', 'email', 'ssl')"
        " if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout == "[]\n"


def test_files_are_lines(tmp_path: Path) -> None:
    lines = FileLines(str(tmp_path), INPUTS, OUTPUTS)
    assert (lines.read("ignition"), lines.read("reverse")) == (True, False), "an absent file reads as 0"
    (tmp_path / "27").write_text("1\n")
    assert lines.read("reverse")
    lines.write("lamp", True)
    assert (tmp_path / "23").read_text() == "0\n"


@pytest.mark.parametrize("content", [b"2", b"on", b"\0", b"\xff" * 100, b"11"])
def test_a_file_with_anything_else_is_a_lost_line(tmp_path: Path, content: bytes) -> None:
    lines = FileLines(str(tmp_path), INPUTS, {})
    (tmp_path / "27").write_bytes(content)
    with pytest.raises(LinesLostError, match="neither 0 nor 1"):
        lines.read("reverse")


def test_hottest_zone_counts_and_broken_ones_do_not(tmp_path: Path) -> None:
    pattern = str(tmp_path / "zone*")
    assert temperature_c(pattern) is None
    for name, content in (("zone0", "41000\n"), ("zone1", "63250\n"), ("zone2", "N/A"), ("zone3", "")):
        (tmp_path / name).write_text(content)
    assert temperature_c(pattern) == 63.25
