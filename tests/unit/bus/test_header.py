# SPDX-License-Identifier: Apache-2.0
"""Headers, bodies of text and signatures without dbus-next, held against dbus-next."""

from __future__ import annotations

from typing import Any

import pytest
from dbus_next import Message, MessageType
from dbus_next.signature import SignatureTree
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.bus import header
from smartcockpit.bus.codec import message, pack, parse_header, unpack
from smartcockpit.bus.header import (
    CALL,
    DESTINATION,
    ERROR,
    ERROR_NAME,
    INTERFACE,
    MEMBER,
    PATH,
    REPLY_SERIAL,
    RETURN,
    SIGNAL,
)  # fmt: skip
from smartcockpit.bus.signature import is_one_type

NAMES = st.lists(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True), min_size=2, max_size=5)
DOTTED = NAMES.map(".".join)
PATHS = NAMES.map(lambda names: "/" + "/".join(names))
MEMBERS = NAMES.map(lambda names: names[0])
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUES: dict[str, st.SearchStrategy[Any]] = {"s": TEXT, "o": PATHS, "u": st.integers(0, 0xFFFF_FFFF)}
BODIES = st.text("sou", max_size=4).flatmap(
    lambda signature: st.tuples(st.just(signature), st.tuples(*(VALUES[code] for code in signature)))
)


@given(st.integers(1, 0xFFFF_FFFF), DOTTED, PATHS, DOTTED, MEMBERS, BODIES)
def test_a_call_and_a_signal_are_byte_exact_with_dbus_next(
    serial: int, destination: str, path: str, interface: str, member: str, body: tuple[str, tuple[Any, ...]]
) -> None:
    signature, values = body
    where = {PATH: path, INTERFACE: interface, MEMBER: member}
    theirs: dict[str, Any] = {"path": path, "interface": interface, "member": member}
    theirs |= {"signature": signature, "body": list(values), "serial": serial}
    call = Message(destination=destination, **theirs)
    assert (
        message(CALL, {**where, DESTINATION: destination}, signature, values).pack(serial) == call._marshall()
    )
    signal = Message(message_type=MessageType.SIGNAL, **theirs)
    assert message(SIGNAL, where, signature, values).pack(serial) == signal._marshall()


@given(st.integers(1, 0xFFFF_FFFF), st.integers(1, 0xFFFF_FFFF), DOTTED, TEXT)
def test_a_reply_and_an_error_are_byte_exact_with_dbus_next(
    serial: int, to: int, name: str, text: str
) -> None:
    theirs: dict[str, Any] = {"reply_serial": to, "destination": ":1.7", "serial": serial}
    reply = Message(message_type=MessageType.METHOD_RETURN, signature="as", body=[[text]], **theirs)
    back = {REPLY_SERIAL: to, DESTINATION: ":1.7"}
    assert message(RETURN, back, "as", ([text],)).pack(serial) == reply._marshall()
    error = Message(message_type=MessageType.ERROR, error_name=name, signature="s", body=[text], **theirs)
    assert message(ERROR, {ERROR_NAME: name, **back}, "s", (text,)).pack(serial) == error._marshall()


@given(DOTTED, PATHS, MEMBERS, BODIES)
def test_what_is_packed_is_read_back(
    name: str, path: str, member: str, body: tuple[str, tuple[Any, ...]]
) -> None:
    signature, values = body
    sent = Message(destination=name, path=path, interface=name, member=member, sender=":1.5", serial=3,
                   signature=signature, body=list(values))._marshall()  # fmt: skip
    size = 16 + (int.from_bytes(sent[12:16], "little") + 7 & ~7)
    got = parse_header(sent[:size], bytes(sent[size:]))
    assert (got.path, got.interface, got.member, got.signature) == (path, name, member, signature)
    assert (got.serial, got.args()) == (3, list(values))
    assert got._replace(body=pack(signature, values)).args() == list(values)


def head(fields: bytes) -> bytes:
    return header.pack_header(CALL, 1, 0, fields)


KNOWN = b"\x01\x01o\0\x02\0\0\0/a\0"


def test_a_field_that_nobody_knows_is_skipped() -> None:
    unknown = b"\x63\x05a{sv}\0" + (11).to_bytes(4, "little") + bytes(4)
    unknown += b"\x01\0\0\0k\0\x01g\0\0\0\0".ljust(16, b"\0")
    assert header.parse_fields(head(unknown + KNOWN)) == {PATH: "/a"}
    assert header.parse_fields(head(KNOWN + bytes(5) + b"\x63\x01u\0" + bytes(4))) == {PATH: "/a"}


@pytest.mark.parametrize(
    "fields",
    [
        b"\x01\x01s\0\x02\0\0\0/a\0",
        b"\x01\x01o\0\xff\0\0\0/a\0",
        b"\x05\x01u\0\x01",
        b"\x08\x01g\0\x09s\0",
        b"\x01\x01o\0\x02\0\0\0\xff\xff\0",
        b"\x63\x01s\0\x40\0\0\0",
        b"\x63\x00\0",
        b"\x63" + b"\x01v\0" * 3000,
    ],
)
def test_a_malformed_header_is_told_in_one_way(fields: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        header.parse_fields(head(fields))


@given(st.binary(max_size=80))
def test_rubbish_in_a_header_is_never_another_error(fields: bytes) -> None:
    try:
        header.parse_fields(head(fields))
    except ValueError:
        return


@pytest.mark.parametrize(
    ("signature", "args"),
    [("s", (1,)), ("u", (-1,)), ("u", (1 << 32,)), ("u", ("x",)), ("ss", ("x",)), ("", ("x",)), ("as", (7,))],
)
def test_arguments_that_do_not_fit_are_a_value_error(signature: str, args: tuple[Any, ...]) -> None:
    with pytest.raises((ValueError, TypeError)):
        pack(signature, args)


@given(BODIES, st.integers(0, 60))
def test_a_body_that_is_cut_off_is_a_value_error(body: tuple[str, tuple[Any, ...]], cut: int) -> None:
    whole = pack(*body)
    if cut < len(whole):
        with pytest.raises(ValueError, match="shorter than signature"):
            unpack(body[0], whole[:cut])


@given(st.text("ybnqiuxtdsoghva(){}", max_size=8))
def test_what_one_type_is_agrees_with_dbus_next(signature: str) -> None:
    try:
        theirs = len(SignatureTree._get(signature).types) == 1
    except Exception:
        theirs = False
    # dbus-next takes the empty struct and a dictionary's entry without its array, which the specification forbids
    if "()" not in signature and "{" not in signature.replace("a{", ""):
        assert is_one_type(signature) == theirs
