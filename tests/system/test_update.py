# SPDX-License-Identifier: Apache-2.0
"""Updates of a real unit: RAUC, the boot loader, the health gate, from power-on to power-on.

One box, in the order of the file: first what must be refused, many cases in one boot, then installations and
what becomes of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from smartcockpit_bench.bundle.build import Signer
from smartcockpit_bench.bundle.samples import CRASHES, PANICS, disk_of, tiny, whole
from smartcockpit_bench.keys import families
from smartcockpit_bench.qemu.box import Box

from .conftest import BOOT_S, image

INSTALL_S = 240.0
BUNDLES = "/run/bundles"
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
    whole(bundles / "good.raucb", "8.0.0")
    whole(bundles / "crashes.raucb", "8.1.0", CRASHES)
    whole(bundles / "panics.raucb", "8.2.0", PANICS)
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


def is_up(box: Box) -> None:
    """Wait until the system is up and the health gate has judged it; mount the bundles."""
    box.agent.close()
    box.agent.wait(BOOT_S)
    box.agent.run("systemctl", "is-system-running", "--wait", timeout_s=BOOT_S, check=False)
    box.agent.sh(
        f"mkdir -p {BUNDLES}; mountpoint -q {BUNDLES} || mount -o ro /dev/disk/by-id/virtio-disk0 {BUNDLES}"
    )


def starts(box: Box) -> int:
    """Return how often the boot loader has started a slot."""
    return box.serial().count("smartcockpit: slot ")


def booted(box: Box) -> str:
    """Return the slot that runs."""
    words = box.agent.sh("cat /proc/cmdline").split()
    return next(word for word in words if word.startswith("rauc.slot="))[-1]


def install(box: Box, bundle: str) -> tuple[int, str]:
    """Install one of the bundles; return RAUC's exit code and words."""
    done = box.agent.run("rauc", "install", f"{BUNDLES}/{bundle}.raucb", timeout_s=INSTALL_S, check=False)
    return done.code, done.out + done.err


def environment(box: Box) -> dict[str, str]:
    return dict(line.split("=", 1) for line in box.agent.sh("fw_printenv").splitlines() if "=" in line)


def verdict(box: Box) -> dict[str, Any]:
    return dict(json.loads(box.agent.sh("cat /var/lib/smartcockpit-health/verdict.json")))


def reboot(box: Box, boots: int = 1) -> None:
    """Restart, and wait until the boot loader has started slots `boots` times and the last of them is up."""
    wanted = starts(box) + boots
    box.agent.sh("systemd-run --quiet --on-active=1 systemctl reboot")
    end_s = time.monotonic() + BOOT_S * boots
    while starts(box) < wanted:
        assert time.monotonic() < end_s, box.serial()[-2000:]
        time.sleep(0.5)
    is_up(box)


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
    done = unit.agent.run("python3", "/run/mutate.py", f"{BUNDLES}/tiny.raucb", "4", "50", timeout_s=560)
    found = json.loads(done.out)
    assert (found["cases"], found["taken"]) == (50, []), found
    assert environment(unit)["BOOT_ORDER"] == "A"
    assert install(unit, "tiny")[0] == 0, "the undamaged one is taken"


def test_a_killed_installation_does_not_stand_in_the_way_of_the_next(unit: Box) -> None:
    for _ in range(3):
        unit.agent.sh(
            f"rauc install {BUNDLES}/good.raucb > /dev/null 2>&1 & "
            "for i in $(seq 200); do test -e /sys/block/dm-0 && break; sleep 0.1; done; sleep 0.5;"
            "kill -9 $(pidof -s rauc-service || systemctl show --value --property=MainPID rauc); wait"
        )
        assert install(unit, "tiny")[0] == 0


def test_a_good_version_proves_itself_in_the_other_slot(unit: Box) -> None:
    assert booted(unit) == "A"
    code, said = install(unit, "good")
    assert code == 0, said
    assert environment(unit) == {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "f", "BOOT_B_LEFT": "3"}
    reboot(unit)
    assert booted(unit) == "B"
    found = verdict(unit)
    assert (found["verdict"], found["trial"], found["slot"], found["version"]) == ("good", True, "B", "8.0.0")
    assert environment(unit)["BOOT_B_LEFT"] == "f"


def test_a_version_whose_bridge_crashes_falls_back_and_keeps_the_reason(unit: Box) -> None:
    code, said = install(unit, "crashes")
    assert code == 0, said
    reboot(unit, boots=2)
    assert booted(unit) == "B"
    found = verdict(unit)
    assert (found["verdict"], found["slot"], found["version"]) == ("failed", "A", "8.1.0")
    assert "smartcockpit-canbridge.service" in str(found["checks"])
    shown = json.loads(unit.agent.sh("cockpitctl health --json"))
    assert (shown["verdict"], shown["slot"], shown["trial"], shown["fell_back"]) == (
        "good",
        "B",
        False,
        found,
    )
    assert environment(unit)["BOOT_ORDER"] == "B"


def test_a_version_that_panics_falls_back_after_three_attempts(unit: Box) -> None:
    code, said = install(unit, "panics")
    assert code == 0, said
    reboot(unit, boots=4)
    assert booted(unit) == "B"
    assert environment(unit) == {"BOOT_ORDER": "B A", "BOOT_A_LEFT": "0", "BOOT_B_LEFT": "f"}
