# SPDX-License-Identifier: Apache-2.0
"""The boot loader's two files on the boot partition: `boot.scr` and `uboot.env`.

Formats: legacy U-Boot image of type "script" (include/image.h) and the environment as `fw_printenv` knows it:
CRC-32 (little endian) over the rest, then NAME=value strings, each ended by a zero byte.
"""

from __future__ import annotations

import struct
import zlib

from smartcockpit_bench.places import BENCH, read_list

ENV_SIZE = 0x4000
_MAGIC = 0x27051956
_OS_LINUX, _TYPE_SCRIPT = 5, 6
_ARCH = {"amd64": 24, "arm64": 22}


def boot_script(arch: str, extra_bootargs: str = "") -> bytes:
    """Return `boot.scr`: the board's part, the kernel line, then the logic that all boards share."""
    source = BENCH / "boot"
    bootargs = " ".join([*read_list(source / "bootargs.txt"), extra_bootargs]).strip()
    text = (
        (source / f"board-{arch}.cmd").read_text()
        + f'setenv sc_bootargs "{bootargs}"\n'
        + (source / "boot.cmd").read_text()
    )
    return script_image(text.encode(), arch)


def script_image(text: bytes, arch: str) -> bytes:
    """Wrap a script as U-Boot wants it: a header, then a list of one length, then the text."""
    body = struct.pack(">II", len(text), 0) + text
    fields = (len(body), 0, 0, zlib.crc32(body), _OS_LINUX, _ARCH[arch], _TYPE_SCRIPT, 0, b"smartcockpit")

    def header(checksum: int) -> bytes:
        return struct.pack(">IIIIIIIBBBB32s", _MAGIC, checksum, 0, *fields)

    return header(zlib.crc32(header(0))) + body


def environment(values: dict[str, str]) -> bytes:
    """Return `uboot.env` with these variables."""
    text = b"".join(f"{name}={value}".encode() + b"\0" for name, value in values.items())
    body = text.ljust(ENV_SIZE - 4, b"\0")
    return struct.pack("<I", zlib.crc32(body)) + body


def parse_environment(data: bytes) -> dict[str, str]:
    """Return the variables of an `uboot.env`; empty when its checksum is wrong, as for the boot loader."""
    (checksum,) = struct.unpack_from("<I", data)
    if zlib.crc32(data[4:ENV_SIZE]) != checksum:
        return {}
    pairs = data[4:ENV_SIZE].split(b"\0\0", 1)[0].split(b"\0")
    return dict(pair.decode().split("=", 1) for pair in pairs if b"=" in pair)


def without_delay(firmware: bytes) -> bytes:
    """Return the boot loader with its wait for a key (2 s in Debian's build) set to none.

    The default environment is plain text in the binary; the replacement has the same length.
    """
    return firmware.replace(b"bootdelay=2\0", b"bootdelay=0\0")


def default_environment() -> dict[str, str]:
    """Return what a new disk starts with (bench/boot/environment.txt)."""
    return dict(entry.split("=", 1) for entry in read_list(BENCH / "boot" / "environment.txt"))
