# SPDX-License-Identifier: Apache-2.0
"""Reaching a bus daemon: addresses, the socket, authentication (specification, "Server addresses",
"Authentication").

Unix sockets only; the daemons of one machine need no other transport.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket

from smartcockpit.core.errors import UnavailableError, UsageError

TIMEOUT_S = 5.0
_LINE_LIMIT = 16 * 1024

HINTS = {
    "system": "is the bus running? systemctl status dbus.socket",
    "session": "there is one only inside a login session; name a bus by its address, or use dbus-run-session",
}


def resolve(address: str) -> str:
    """Return the D-Bus address that "system" or "session" stands for; any other string is one already."""
    if address == "system":
        return os.environ.get("DBUS_SYSTEM_BUS_ADDRESS") or "unix:path=/run/dbus/system_bus_socket"
    if address == "session":
        found = os.environ.get("DBUS_SESSION_BUS_ADDRESS")
        runtime_dir = os.environ.get("XDG_RUNTIME_DIR")
        if not found and not runtime_dir:
            raise UnavailableError("no session bus: DBUS_SESSION_BUS_ADDRESS is not set", HINTS["session"])
        return found or f"unix:path={runtime_dir}/bus"
    return address


def socket_names(address: str) -> list[str]:
    """Return the names to connect to, in order; an abstract one starts with NUL. Raises `UsageError`."""
    names = []
    for part in filter(None, address.split(";")):
        transport, _, options = part.partition(":")
        pairs = dict(option.partition("=")[::2] for option in options.split(","))
        if transport == "unix" and "path" in pairs:
            names.append(_unescape(pairs["path"]))
        elif transport == "unix" and "abstract" in pairs:
            names.append("\0" + _unescape(pairs["abstract"]))
    if not names:
        raise UsageError(
            f"cannot use the D-Bus address {address!r}",
            "give one such as unix:path=/run/dbus/system_bus_socket",
        )
    return names


def _unescape(value: str) -> str:
    if "%" not in value:
        return value
    raw = re.sub(rb"%([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), value.encode())
    return os.fsdecode(raw)


async def open_socket(address: str) -> socket.socket:
    """Connect and authenticate as our user; return the non-blocking socket, on which we may pass descriptors.

    `address` is "system", "session" or a D-Bus address. Raises `UnavailableError` with a remedy, after at
    most `TIMEOUT_S` for each socket that the address names.
    """
    hint = HINTS.get(address, "is a bus daemon listening there?")
    trouble = ""
    for name in socket_names(resolve(address)):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        sock.setblocking(False)
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.get_running_loop().sock_connect(sock, name)
                await _authenticate(sock)
        except (OSError, EOFError, ValueError) as error:
            sock.close()
            trouble = trouble or f"cannot reach the bus at {name.lstrip(chr(0))}: {_reason(error)}"
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise UnavailableError(trouble, hint)


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:g} s"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return str(error) or "connection closed during authentication"


async def _authenticate(sock: socket.socket) -> None:
    """Say who we are, which the kernel vouches for (specification, "EXTERNAL"), and begin in the same breath.

    That is allowed ("Command BEGIN" is read after the answer was sent) and saves a turn of both processes.
    """
    loop = asyncio.get_running_loop()
    who = str(os.getuid()).encode().hex()
    words = f"\0AUTH EXTERNAL {who}\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n"
    await loop.sock_sendall(sock, words.encode())
    answer = await _lines(loop, sock, 2)
    if not answer.startswith("OK "):
        raise ValueError(f"it refuses user {os.getuid()}: {answer.splitlines()[0]}")


async def _lines(loop: asyncio.AbstractEventLoop, sock: socket.socket, count: int) -> str:
    """Read `count` lines; the daemon sends nothing beyond them before we call it."""
    said = b""
    while said.count(b"\r\n") < count:
        chunk = await loop.sock_recv(sock, 1024)
        if not chunk:
            if said.startswith(b"REJECTED"):
                break
            raise EOFError
        said += chunk
        if len(said) > _LINE_LIMIT:
            raise ValueError("overlong line during authentication")
    return said.decode("ascii", "replace")
