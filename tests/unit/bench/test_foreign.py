# SPDX-License-Identifier: Apache-2.0
"""Foreign programs while an image is built: registered when missing, taken back, and a sentence when impossible."""

from __future__ import annotations

from pathlib import Path

import pytest
from smartcockpit.core.errors import UnavailableError
from smartcockpit_bench.image import foreign


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kernel's registry made of plain files, on a machine of another architecture."""
    description = tmp_path / "qemu-aarch64.conf"
    description.write_text(":qemu-aarch64:M::magic:mask:/usr/bin/emulator:OPF\n")
    folder = tmp_path / "binfmt_misc"
    folder.mkdir()
    monkeypatch.setattr(foreign, "REGISTRY", folder)
    monkeypatch.setattr(foreign, "DESCRIPTION", description)
    monkeypatch.setattr(foreign.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("QEMU_CPU", "")  # what the code sets is undone after the test
    return folder


def works(monkeypatch: pytest.MonkeyPatch, *answers: bool) -> None:
    left = list(answers)
    monkeypatch.setattr(foreign, "runs", lambda _arch: left.pop(0))


def test_own_architecture_needs_nothing(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works(monkeypatch)
    with foreign.runnable("amd64"):
        pass
    assert not list(registry.iterdir())


def test_our_c_code_is_compiled_for_the_target(registry: Path) -> None:
    assert foreign.compiler("amd64") == []
    assert foreign.compiler("arm64") == ["CC=aarch64-linux-gnu-gcc"]


def test_existing_registration_is_used(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works(monkeypatch, True)
    with foreign.runnable("arm64"):
        pass
    assert not list(registry.iterdir())


def test_missing_registration_is_made_and_taken_back(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works(monkeypatch, False, True)
    (registry / "register").touch()
    with foreign.runnable("arm64"):
        assert (registry / "register").read_text().startswith(":qemu-aarch64:M::")
        assert not (registry / "qemu-aarch64").exists()
    assert (registry / "qemu-aarch64").read_text() == "-1"


def test_says_what_a_container_lacks(registry: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    works(monkeypatch, False)
    monkeypatch.setattr(foreign.subprocess, "run", lambda *_args, **_options: None)  # the mount does nothing
    monkeypatch.setattr(foreign, "REGISTRY", registry / "absent")
    said = pytest.raises(UnavailableError, match=r"runs no arm64 programs.*Hint: in a container")
    with said, foreign.runnable("arm64"):
        pass
