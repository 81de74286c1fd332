# SPDX-License-Identifier: Apache-2.0
"""The box's hardware as QEMU arguments. The one place that knows it; who starts it is `qemu.box`.

Two emulated kvaser controllers at fixed PCI addresses share one wire: the .link files of the image name them
can0 (cockpit) and car0 (simulated car). Named virtio-serial ports are the host's ways in; a chardev that
nobody listens to loses what is written, so no port can stall the guest.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CAR_PORT = "org.smartcockpit.car"
VIEW_PORT = "org.smartcockpit.view"
AGENT_PORT = "org.qemu.guest_agent.0"
COCKPIT_CAN, CAR_CAN = 0x10, 0x11
"""PCI device numbers on bus 0 of the two CAN controllers."""
SERVER = ("10.0.2.100", 443)
"""Where the guest finds a server that runs on the host; nothing else of the host can be reached."""
RECEIVER = "usb-serial,chardev=gnss,bus=usb.0"
"""The cable of the GNSS receiver, as QMP's device_add wants it too."""
PROGRAMS = {"amd64": "qemu-system-x86_64", "arm64": "qemu-system-aarch64"}
CPUS, MEMORY_MIB = 2, 1024


@dataclass(frozen=True, slots=True)
class Hardware:
    """What one box is made of; `folder` is where its sockets and its serial log are."""

    arch: str
    image: Path
    disk: Path
    folder: Path
    accelerator: str
    bench_disk: Path | None = None
    disks: tuple[Path, ...] = ()
    """Further disks, raw and read-only, for tests: /dev/disk/by-id/virtio-disk0 …"""
    cache: str = "unsafe"
    """QEMU's cache mode of the system disk. unsafe: flushes are ignored; the layer is thrown away anyway.
    Tests of power cuts take writeback, where what was flushed is on the host."""
    ssh_port: int | None = None
    server_port: int | None = None
    """Port of the host that the guest finds at `SERVER`."""
    kernel_line: str | None = None
    """Boot this kernel directly with these arguments; None: by the real boot loader."""

    def socket(self, name: str) -> Path:
        """Return the unix socket of a port: serial, qmp, car, view, agent, gnss or gpio."""
        return self.folder / f"{name}.sock"

    @property
    def sound(self) -> Path:
        """The WAV file with all that the sound card played. Its header knows its size when QEMU has ended."""
        return self.folder / "sound.wav"

    @property
    def serial_log(self) -> Path:
        """The file with all that the serial console said."""
        return self.folder / "serial.log"


def arguments(hardware: Hardware) -> list[str]:
    """Return the command line of QEMU for `hardware`."""
    return [
        PROGRAMS[hardware.arch],
        *("-name", "smartcockpit", "-nodefaults", "-no-user-config", "-display", "none"),
        *_board(hardware),
        *("-smp", str(CPUS), "-m", str(MEMORY_MIB)),
        *_boot(hardware),
        *_disk("system", hardware.disk, f"qcow2,cache={hardware.cache}"),
        *(_read_only("bench", hardware.bench_disk) if hardware.bench_disk else []),
        *(word for number, path in enumerate(hardware.disks) for word in _read_only(f"disk{number}", path)),
        *("-device", "virtio-rng-pci", "-rtc", "base=utc,clock=host"),
        *("-object", "can-bus,id=wire"),
        *("-device", f"kvaser_pci,canbus=wire,addr={COCKPIT_CAN:#x}"),
        *("-device", f"kvaser_pci,canbus=wire,addr={CAR_CAN:#x}"),
        *_sound(hardware),
        *_ports(hardware),
        *_usb(hardware),
        *_network(hardware),
    ]


def _board(hardware: Hardware) -> list[str]:
    # arm64: "max" signs return addresses in software, which makes it four times slower than the Pi 4's core.
    cpu = "host" if hardware.accelerator == "kvm" else {"amd64": "max", "arm64": "cortex-a72"}[hardware.arch]
    accelerator = "kvm" if hardware.accelerator == "kvm" else "tcg,thread=multi"
    # Without ACPI the power button is in the device tree, which is all that U-Boot gives the kernel.
    machine = {"amd64": "pc", "arm64": "virt,acpi=off"}[hardware.arch]
    watchdog = ["-device", "i6300esb", "-watchdog-action", "reset"]
    return ["-machine", machine, "-accel", accelerator, "-cpu", cpu, *watchdog]


def _boot(hardware: Hardware) -> list[str]:
    if hardware.kernel_line is None:
        return ["-bios", str(hardware.image / "firmware.bin")]
    image = hardware.image
    parts = ["-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img")]
    return [*parts, "-append", hardware.kernel_line]


def _disk(name: str, path: Path, how: str) -> list[str]:
    file = str(path).replace(",", ",,")
    drive = f"id={name},if=none,format={how},file={file}"
    # The guest knows a disk by its serial number; the kernel's names depend on which disks there are.
    return ["-drive", drive, "-device", f"virtio-blk-pci,drive={name},serial={name}"]


def _read_only(name: str, path: Path) -> list[str]:
    return _disk(name, path, "raw,cache=unsafe,readonly=on")


def _sound(hardware: Hardware) -> list[str]:
    # 48 kHz as the sound server mixes: what is recorded is what was mixed.
    audio = f"wav,id=sound,path={hardware.sound},out.frequency=48000"
    return ["-audiodev", audio, "-device", "intel-hda", "-device", "hda-output,audiodev=sound"]


def _ports(hardware: Hardware) -> list[str]:
    serial = (
        f"socket,id=serial,path={hardware.socket('serial')},server=on,wait=off,logfile={hardware.serial_log}"
    )
    words = ["-chardev", serial, "-serial", "chardev:serial"]
    words += ["-device", "virtio-serial-pci"]
    for name, port in (("car", CAR_PORT), ("view", VIEW_PORT), ("agent", AGENT_PORT)):
        words += ["-chardev", f"socket,id={name},path={hardware.socket(name)},server=on,wait=off"]
        words += ["-device", f"virtserialport,chardev={name},name={port}"]
    return [*words, "-qmp", f"unix:{hardware.socket('qmp')},server=on,wait=off"]


def _usb(hardware: Hardware) -> list[str]:
    # Each device's other end is on the host: `smartcockpit_bench.gnss.feed` and `…usb.feed` connect to it.
    # Sticks are plugged in by the monitor.
    words = ["-device", "qemu-xhci,id=usb"]
    for name, device in (("gnss", f"{RECEIVER},id=receiver"), ("gpio", "usb-redir,chardev=gpio,bus=usb.0")):
        words += ["-chardev", f"socket,id={name},path={hardware.socket(name)},server=on,wait=off"]
        words += ["-device", device]
    return words


def _network(hardware: Hardware) -> list[str]:
    if hardware.ssh_port is None:
        return ["-nic", "none"]
    forward = f"hostfwd=tcp:127.0.0.1:{hardware.ssh_port}-:22"
    if hardware.server_port is not None:
        # One process for each connection: QEMU itself would pass on a single one.
        host, port = SERVER
        forward += f",guestfwd=tcp:{host}:{port}-cmd:socat STDIO TCP:127.0.0.1:{hardware.server_port}"
    return ["-netdev", f"user,id=net,restrict=on,{forward}", "-device", "virtio-net-pci,netdev=net,romfile="]
