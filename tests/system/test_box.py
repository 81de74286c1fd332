# SPDX-License-Identifier: Apache-2.0
"""What the booted image looks like from inside: units, disks, counters, interfaces, sandboxes."""

from __future__ import annotations

import json

from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.unit import judged


def test_every_unit_has_started(box: Box) -> None:
    state = box.agent.run("systemctl", "is-system-running", check=False).out.strip()
    failed = box.agent.sh("systemctl --failed --no-legend --plain")
    assert (state, failed) == ("running", "")


def test_root_is_read_only_and_everything_else_that_is_written_is_elsewhere(box: Box) -> None:
    refused = box.agent.run("touch", "/usr/x", check=False)
    assert "Read-only file system" in refused.err
    mounts = dict(line.split()[1::2][:2] for line in box.agent.sh("cat /proc/mounts").splitlines())
    assert mounts["/"].split(",")[0] == "ro"
    assert mounts["/data"].split(",")[0] == "rw"
    assert box.agent.sh("findmnt -no FSTYPE /var").strip() == "tmpfs"


def test_data_partition_takes_the_rest_of_the_disk(box: Box) -> None:
    listed = json.loads(box.agent.sh("lsblk --json --bytes --output NAME,SIZE,PARTLABEL /dev/vda"))
    disk = listed["blockdevices"][0]
    sizes = {part["partlabel"]: part["size"] for part in disk["children"]}
    assert list(sizes) == ["boot", "rootfs-a", "rootfs-b", "data"]
    assert sum(sizes.values()) > disk["size"] - (4 << 20)
    assert sizes["rootfs-a"] == sizes["rootfs-b"]


def test_machine_id_is_kept_for_the_next_boot(box: Box) -> None:
    assert box.agent.sh("cat /etc/machine-id") == box.agent.sh("cat /data/etc/machine-id")


def test_boot_loader_chose_slot_a_and_the_attempt_was_given_back(box: Box) -> None:
    assert "smartcockpit: slot A, order A B, left A e B 0" in box.serial()
    assert "BOOT_A_LEFT=f" in box.agent.sh("fw_printenv")


def test_health_gate_has_judged_this_boot(box: Box) -> None:
    judged(box)
    verdict = json.loads(box.agent.run("cockpitctl", "health", "--json", check=False).out)
    assert (verdict["verdict"], verdict["trial"], verdict["slot"], verdict["this_boot"]) == (
        "good",
        False,
        "A",
        True,
    )
    found = {check["name"]: check["ok"] for check in verdict["checks"]}
    assert found == dict.fromkeys(("bus", "units", "can", "gnss", "audio", "data", "settings", "ota"), True)


def test_rauc_knows_both_slots_and_takes_verity_bundles_alone(box: Box) -> None:
    status = json.loads(box.agent.run("rauc", "status", "--output-format=json").out)
    assert (status["compatible"], status["booted"]) == ("smartcockpit-qemu", "A")
    assert "bundle-formats=-plain -crypt" in box.agent.sh("cat /etc/rauc/system.conf")


def test_both_processors_work(box: Box) -> None:
    assert box.agent.sh("nproc").strip() == "2"


def test_can0_is_a_real_controller_at_500_kbit(box: Box) -> None:
    link = json.loads(box.agent.run("ip", "-details", "-json", "link", "show", "can0").out)[0]
    assert link["linkinfo"]["info_data"]["bittiming"]["bitrate"] == 500_000
    assert link["linkinfo"]["info_data"]["state"] == "ERROR-ACTIVE"
    driver = box.agent.sh("basename $(readlink /sys/class/net/can0/device/driver)").strip()
    assert driver == "kvaser_pci"


def test_can1_carries_fd_frames(box: Box) -> None:
    assert box.agent.sh("cat /sys/class/net/can1/mtu").strip() == "72"


def test_sandboxes_of_our_units_are_tight_in_the_guest_too(box: Box) -> None:
    units = box.agent.sh(
        "systemctl list-units --plain --no-legend 'smartcockpit-*.service' | cut -d' ' -f1"
    ).split()
    assert "smartcockpit-canbridge.service" in units
    for unit in units:
        done = box.agent.run("systemd-analyze", "security", "--threshold=12", unit, check=False)
        assert done.code == 0, done.out[-300:]


def test_our_programs_load_from_the_module_pack(box: Box) -> None:
    """Given the image as booted, then the pack fits its Python, its paths and every file's time stamp."""
    program = box.agent.sh("grep -v '^sys.exit' /usr/bin/smartcockpit-canbridge")
    asks = (
        "print(module_pack.state.partition(',')[0], [name for name, module in sys.modules.items()\n"
        "  if (spec := getattr(module, '__spec__', None)) and name.startswith(('asyncio', 'dbus_next', 'smartcockpit.'))\n"
        "  and type(spec.loader).__module__ != module_pack.__name__])"
    )
    said = box.agent.run("python3", "-SP", "-c", program + asks).out
    assert said == "in use ['smartcockpit.runtime', 'smartcockpit.runtime.module_pack']\n"


def test_only_ssh_listens_in_the_dev_flavour(box: Box) -> None:
    listening = [line.split()[4] for line in box.agent.sh("ss -Hltun").splitlines()]
    assert [address for address in listening if not address.endswith((":22", ":68"))] == []
