# SPDX-License-Identifier: Apache-2.0
"""Logs to the journal with fields under systemd, else one line each to stderr.

Modules log with the standard library (`logging.getLogger(__name__)`). A state change that people look for
later is an `Event`: it has a message id with an entry in the journal catalog (`journalctl -x`), and its
details become journal fields `SC_BUS=`, `SC_STATE=` … for `journalctl SC_BUS=can0`. Protocol: systemd.io
"Native Journal Protocol".
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import sys
from collections.abc import Mapping

from smartcockpit.core.named import NamedTuple

JOURNAL = "/run/systemd/journal/socket"
PRIORITY = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}
MAX_MESSAGE = 48 * 1024
"""Longer messages are cut: a datagram must fit the journal's socket buffer without a memfd."""


class Event(NamedTuple):
    """A state change: 128-bit id as in the catalog, level, and a text with `{field}`s."""

    message_id: str
    level: int
    text: str

    def log(self, logger: logging.Logger, **fields: object) -> None:
        """Write it once; `fields` fill the text and become journal fields `SC_<NAME>`."""
        if logger.isEnabledFor(self.level):
            message = self.text.format_map(fields)
            logger.log(
                self.level, message, extra={"sc_fields": fields, "sc_id": self.message_id}, stacklevel=2
            )


class JournalHandler(logging.Handler):
    """Sends records to journald's native socket; falls back to stderr when journald does not take them."""

    def __init__(self, identifier: str, path: str = JOURNAL) -> None:
        super().__init__()
        self._identifier = identifier
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; never raises, never blocks."""
        try:
            self._socket.sendto(encode(fields_of(record, self._identifier, self.format(record))), self._path)
        except OSError:
            print(record.getMessage(), file=sys.stderr)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
        super().close()


def fields_of(record: logging.LogRecord, identifier: str, message: str) -> dict[str, str]:
    """Return the journal fields of `record` (systemd.journal-fields(7))."""
    fields = {
        "MESSAGE": message[:MAX_MESSAGE],
        "PRIORITY": str(PRIORITY.get(record.levelno, 6)),
        "SYSLOG_IDENTIFIER": identifier,
        "SC_LOGGER": record.name,
    }
    if record.levelno >= logging.ERROR:
        fields |= {
            "CODE_FILE": record.pathname,
            "CODE_LINE": str(record.lineno),
            "CODE_FUNC": record.funcName or "",
        }
    if message_id := getattr(record, "sc_id", None):
        fields["MESSAGE_ID"] = str(message_id)
    extra = getattr(record, "sc_fields", None)
    if isinstance(extra, Mapping):
        fields |= {f"SC_{name.upper()}": str(value)[:4096] for name, value in extra.items()}
    return fields


def encode(fields: Mapping[str, str]) -> bytes:
    """Return one datagram of the native protocol; a value with a line feed travels with its length."""
    out = bytearray()
    for name, value in fields.items():
        data = value.encode(errors="replace")
        if b"\n" in data:
            out += name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
        else:
            out += name.encode() + b"=" + data + b"\n"
    return bytes(out)


def is_under_journal(environment: Mapping[str, str] = os.environ, fd: int = 2) -> bool:
    """True when stderr is the journal's stream (systemd.exec(5), `$JOURNAL_STREAM`)."""
    try:
        device, inode = environment.get("JOURNAL_STREAM", "").split(":")
        stat = os.fstat(fd)
        return (stat.st_dev, stat.st_ino) == (int(device), int(inode))
    except (ValueError, OSError):
        return False


def start(identifier: str, level: str) -> None:
    """Send the root logger's records to the right place; `level` is a name such as `info`."""
    handler: logging.Handler
    if is_under_journal():
        handler = JournalHandler(identifier)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(f"{identifier}: %(levelname)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Journal fields name file and line for errors only; thread and process names cost look-ups per record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
