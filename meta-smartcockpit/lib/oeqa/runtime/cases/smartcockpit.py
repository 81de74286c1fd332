# SPDX-License-Identifier: Apache-2.0
"""What a booted SmartCockpit image must be, on QEMU or a board: task testimage of smartcockpit-image-dev.

The claims of tests/system/test_box.py that do not depend on the box, asked over SSH. Needs no car.
"""

import json

from oeqa.core.decorator.depends import OETestDepends
from oeqa.runtime.case import OERuntimeTestCase
from oeqa.runtime.decorator.package import OEHasPackage

UNIT_TESTS_S = 3600


class SmartCockpitTest(OERuntimeTestCase):
    def ask(self, command: str) -> str:
        """Return what a command prints on the target; fails the test when it fails."""
        status, output = self.target.run(command)
        assert status == 0, f"{command}: {output}"
        return str(output).strip()

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_no_unit_has_failed(self) -> None:
        assert self.ask("systemctl --failed --no-legend --plain") == ""

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_root_is_read_only_and_data_is_not(self) -> None:
        mounts = dict(line.split()[1:4:2] for line in self.ask("cat /proc/mounts").splitlines())
        assert mounts["/"].split(",")[0] == "ro"
        assert mounts["/data"].split(",")[0] == "rw"

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_disk_has_two_slots_and_the_data_partition(self) -> None:
        for name in ("boot", "rootfs-a", "rootfs-b", "data"):
            self.ask(f"test -b /dev/disk/by-partlabel/{name}")

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_machine_id_is_kept_for_the_next_boot(self) -> None:
        assert self.ask("cat /etc/machine-id") == self.ask("cat /data/etc/machine-id")

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_rauc_knows_both_slots_and_the_one_that_runs(self) -> None:
        status = json.loads(self.ask("rauc status --output-format=json"))
        assert status["compatible"] == "smartcockpit-" + self.td["MACHINE"]
        assert status["booted"] == "A"
        assert len(status["slots"]) == 2

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_counters_of_the_boot_loader_can_be_read(self) -> None:
        assert "BOOT_ORDER=A B" in self.ask("systemctl start boot-firmware.mount && fw_printenv")

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_every_daemon_is_on_the_bus(self) -> None:
        names = self.ask("busctl --system --no-legend list")
        for name in ("Audio1", "CanBridge1", "Gnss1", "Ota1", "Power1"):
            assert f"org.smartcockpit.{name}" in names

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_users_have_the_ids_that_files_on_the_data_partition_have(self) -> None:
        for name, number in (("canbridge", 861), ("gnss", 862), ("audio", 863), ("power", 864), ("ota", 866)):
            assert self.ask(f"id -u smartcockpit-{name}") == str(number)

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    def test_nothing_but_ssh_listens(self) -> None:
        # /proc/net/tcp{,6}: state 0A is LISTEN; the local address ends in the port, hexadecimal.
        listening = self.ask("cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == \"0A\" {print $2}'").split()
        outside = [at for at in listening if not at.startswith(("0100007F", "3500007F", "3600007F"))]
        assert [at for at in outside if not at.endswith(":0016")] == []

    @OETestDepends(["ssh.SSHTest.test_ssh"])
    @OEHasPackage(["smartcockpit-ptest"])
    def test_unit_tests_pass_with_the_python_of_the_image(self) -> None:
        status, output = self.target.run("/usr/lib/smartcockpit/ptest/run-ptest", UNIT_TESTS_S)
        assert status == 0, str(output)[-4000:]
