# SPDX-License-Identifier: Apache-2.0
"""What RAUC of a real unit must refuse, survive and fall back from; bundles are installed by hand.

One box, in the order of the file: many cases in one boot, then a version that cannot even start. Versions that
do start are the update daemon's business: test_ota.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from smartcockpit_bench.bundle.build import Signer
from smartcockpit_bench.bundle.samples import disk_of, stump, tiny
from smartcockpit_bench.keys import families
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import BUNDLES, is_up, restart, slot

from .conftest import image

INSTALL_S = 240.0
DAMAGED = 50
MUTATE = """
import json, os, random, shutil, subprocess, sys
bundle, copy, seed, count = sys.argv[1], "/data/mutated.raucb", int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
shutil.copy(bundle, copy)
size = os.path.getsize(copy)
taken = []
for number in range(count):
    kind = "truncated" if number % 6 == 5 else "appended" if number % 12 == 4 else "flipped"
    at = random.randrange(size - 4096, size) if number % 5 == 0 else random.randrange(size)
    with open(copy, "r+b") as file:
        if kind == "truncated":
            file.truncate(at)
        elif kind == "appended":
            file.seek(0, 2); file.write(os.urandom(1 + at % 4096))
        else:
            file.seek(at); byte = file.read(1)[0]
            file.seek(at); file.write(bytes([byte ^ 1 << number % 8]))
    try:
        done = subprocess.run(["rauc", "install", copy], capture_output=True, text=True, timeout=60)
        wrong = "taken" if done.returncode == 0 else ""
    except subprocess.TimeoutExpired:
        wrong = "no end within 60 s"
        subprocess.run(["systemctl", "kill", "--signal=KILL", "rauc"])
    if wrong:
        taken.append([number, kind, at, wrong])
    shutil.copy(bundle, copy) if kind != "flipped" else None
    if kind == "flipped":
        with open(copy, "r+b") as file:
            file.seek(at); file.write(bytes([byte]))
print(json.dumps({"cases": count, "taken": taken}))
"""


@pytest.fixture(scope="module")
def unit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """A unit with its bundles on a second, read-only disk."""
    image("dev")
    folder = tmp_path_factory.mktemp("update")
    bundles = folder / "bundles"
    bundles.mkdir()
    stump(bundles / "panics.raucb", "8.2.0")
    tiny(bundles / "tiny.raucb")
    tiny(bundles / "older.raucb", version="0.0.9")
    tiny(bundles / "other-hardware.raucb", compatible="smartcockpit-qemu-arm64")
    tiny(bundles / "plain.raucb", form="plain")
    tiny(bundles / "released.raucb", signer=Signer.of_family(families.family("release")))
    (bundles / "release-keyring.pem").write_bytes(families.keyring("release"))
    with Box(disks=(disk_of(bundles, folder / "bundles.ext4"),)) as started:
        is_up(started)
        yield started
        assert started.power_off(90), "the guest did not shut down by the power button"


def install(box: Box, bundle: str) -> tuple[int, str]:
    """Install one of the bundles; return RAUC's exit code and words."""
    done = box.agent.run("rauc", "install", f"{BUNDLES}/{bundle}.raucb", timeout_s=INSTALL_S, check=False)
    return done.code, done.out + done.err


def environment(box: Box) -> dict[str, str]:
    return dict(line.split("=", 1) for line in box.agent.sh("fw_printenv").splitlines() if "=" in line)


@pytest.mark.parametrize(
    ("bundle", "complaint"),
    [
        ("older", "Version mismatch"),
        ("other-hardware", "ompatible mismatch"),
        ("plain", "'plain' not allowed"),
    ],
)
def test_wrong_bundles_are_refused_before_anything_is_written(unit: Box, bundle: str, complaint: str) -> None:
    before = environment(unit)
    code, said = install(unit, bundle)
    assert (code != 0, complaint in said) == (True, True), said
    assert environment(unit) == before


def test_release_keyring_refuses_what_a_developer_signed(unit: Box) -> None:
    unit.agent.sh(
        f"sed 's|^path=.*|path={BUNDLES}/release-keyring.pem|' /etc/rauc/system.conf > /run/release.conf;"
        "mkdir -p /run/systemd/system/rauc.service.d; printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/rauc "
        "--mount=/run/rauc/mnt --conf=/run/release.conf service\\n' > /run/systemd/system/rauc.service.d/90-test.conf;"
        "systemctl daemon-reload; systemctl stop rauc"
    )
    code, said = install(unit, "tiny")
    released = install(unit, "released")
    unit.agent.sh("rm -r /run/systemd/system/rauc.service.d; systemctl daemon-reload; systemctl stop rauc")
    assert (code != 0, "unable to get local issuer certificate" in said) == (True, True), said
    assert released[0] == 0, released[1]


def test_only_those_in_the_table_may_install_or_mark(unit: Box) -> None:
    call = "busctl call de.pengutronix.rauc / de.pengutronix.rauc.Installer"
    mark, put = f"{call} Mark ss nonsense booted", f"{call} InstallBundle sa{{sv}} /nowhere 0"
    denied = {}
    for user in ("nobody", "smartcockpit-canbridge", "smartcockpit-health", "smartcockpit-ota"):
        said = [
            unit.agent.sh(f"setpriv --reuid={user} --clear-groups --regid=nogroup {words}")
            for words in (mark, put)
        ]
        denied[user] = ["enied" in line for line in said]
    assert denied == {
        "nobody": [True, True], "smartcockpit-canbridge": [True, True],
        "smartcockpit-health": [False, True], "smartcockpit-ota": [False, False],
    }  # fmt: skip


def test_no_damaged_bundle_is_ever_activated(unit: Box) -> None:
    unit.agent.run("/bin/sh", "-c", "cat > /run/mutate.py", stdin=MUTATE)
    done = unit.agent.run(
        "python3", "/run/mutate.py", f"{BUNDLES}/tiny.raucb", "4", str(DAMAGED), timeout_s=560
    )
    found = json.loads(done.out)
    assert (found["cases"], found["taken"]) == (DAMAGED, []), found
    assert environment(unit)["BOOT_ORDER"] == "A"
    assert install(unit, "tiny")[0] == 0, "the undamaged one is taken"


def test_a_killed_installation_does_not_stand_in_the_way_of_the_next(unit: Box) -> None:
    unit.agent.sh(
        f"rauc install {BUNDLES}/panics.raucb > /dev/null 2>&1 & "
        "for i in $(seq 200); do test -e /sys/block/dm-0 && break; sleep 0.1; done; sleep 0.5;"
        "kill -9 $(pidof -s rauc-service || systemctl show --value --property=MainPID rauc); wait"
    )
    assert install(unit, "tiny")[0] == 0


def test_a_version_that_panics_falls_back_after_three_attempts(unit: Box) -> None:
    code, said = install(unit, "panics")
    assert code == 0, said
    assert environment(unit) == {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "f", "BOOT_B_LEFT": "3"}
    restart(unit, boots=4)
    assert slot(unit) == "A"
    assert environment(unit) == {"BOOT_ORDER": "A B", "BOOT_A_LEFT": "f", "BOOT_B_LEFT": "0"}
