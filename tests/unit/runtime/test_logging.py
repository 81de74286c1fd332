# SPDX-License-Identifier: Apache-2.0
"""Journal records over a real datagram socket."""

from __future__ import annotations

import logging
import os
import re
import socket
import struct
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.runtime import logging as journal

BUS_OFF = journal.Event("0123456789abcdef0123456789abcdef", logging.WARNING, "{bus} is {state}")


def parse(datagram: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    while datagram:
        head, _, rest = datagram.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if not equals:
            size = struct.unpack_from("<Q", rest)[0]
            value, rest = rest[8 : 8 + size], rest[9 + size :]
        fields[name.decode()] = value.decode()
        datagram = rest
    return fields


def test_event_becomes_a_record_with_id_and_fields(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
        journald.bind(str(tmp_path / "socket"))
        logger = logging.Logger("smartcockpit.test")
        handler = journal.JournalHandler("smartcockpit-canbridge", str(tmp_path / "socket"))
        logger.addHandler(handler)
        BUS_OFF.log(logger, bus="can0", state="bus-off")
        fields = parse(journald.recv(65536))
        handler.close()
    assert fields["MESSAGE"] == "can0 is bus-off"
    assert fields["MESSAGE_ID"] == BUS_OFF.message_id
    assert (fields["SC_BUS"], fields["SC_STATE"], fields["PRIORITY"]) == ("can0", "bus-off", "4")
    assert fields["SYSLOG_IDENTIFIER"] == "smartcockpit-canbridge"


def test_without_journald_the_message_goes_to_stderr(tmp_path: Path, capsys) -> None:
    handler = journal.JournalHandler("x", str(tmp_path / "nothing"))
    handler.emit(logging.LogRecord("n", logging.INFO, "", 1, "hello", (), None))
    handler.close()
    assert "hello" in capsys.readouterr().err


@given(st.text())
def test_any_message_survives_the_protocol(text: str) -> None:
    encoded = text.encode(errors="replace").decode()
    assert parse(journal.encode({"MESSAGE": text, "PRIORITY": "6"})) == {"MESSAGE": encoded, "PRIORITY": "6"}


def test_journal_is_recognised_by_its_stream(tmp_path: Path) -> None:
    with (tmp_path / "stderr").open("w") as file:
        stat = os.fstat(file.fileno())
        match = {"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"}
        assert journal.is_under_journal(match, file.fileno())
        assert not journal.is_under_journal({"JOURNAL_STREAM": "1:2"}, file.fileno())
        assert not journal.is_under_journal({}, file.fileno())


def test_stderr_lines_name_program_and_level(capsys) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    try:
        journal.start("smartcockpit-x", "info")
        logging.getLogger("a").info("ready")
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert re.fullmatch(r"smartcockpit-x: INFO: ready\n", capsys.readouterr().err)
