# SPDX-License-Identifier: Apache-2.0
"""One booted box for all system tests: the dev flavour, started once, on a throw-away disk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from smartcockpit_bench.places import ROOT
from smartcockpit_bench.qemu.box import Box

BOOT_S = 180.0
"""Emulated, on a machine that does other things as well."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in Path(item.fspath).parents:
            item.add_marker(pytest.mark.system)
            item.add_marker(pytest.mark.timeout(600))
            # One box: with several test processes all of it runs in the same one.
            item.add_marker(pytest.mark.xdist_group("box"))
    # Those with a box of their own come first: then two are never switched on at once.
    items.sort(key=lambda item: "box" in getattr(item, "fixturenames", ()))


def image(flavour: str) -> None:
    subprocess.run(["make", "--no-print-directory", "image", f"FLAVOUR={flavour}"], cwd=ROOT, check=True)


@pytest.fixture(scope="session")
def box() -> Iterator[Box]:
    """The dev flavour behind the real boot loader, with all daemons up."""
    image("dev")
    with Box() as started:
        started.agent.wait(BOOT_S)
        started.agent.run("systemctl", "is-system-running", "--wait", timeout_s=BOOT_S, check=False)
        yield started
        assert started.power_off(90), "the guest did not shut down by the power button"


@pytest.fixture(scope="session")
def release_box() -> Iterator[Box]:
    """The release flavour, booted directly; nobody can run commands in it."""
    image("release")
    with Box(flavour="release", direct=True) as started:
        yield started
