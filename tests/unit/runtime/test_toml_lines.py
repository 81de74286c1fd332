# SPDX-License-Identifier: Apache-2.0
"""The short way to read settings says what tomllib says, or nothing."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartcockpit.runtime.toml_lines import read_plain

KEYS = st.sampled_from(["a", "b", "a.b", "a-b", "1", '"a"', "ä", "", "a b"])
VALUES = st.one_of(
    st.integers().map(str),
    st.floats(allow_nan=True).map(str),
    st.text(alphabet="a\"'\\# \t=é\x07", max_size=6).map(lambda t: f'"{t}"'),
    st.text(alphabet="a\"'\\# \t", max_size=6).map(lambda t: f"'{t}'"),
    st.sampled_from(
        ["true", "false", "True", "-0", "00", "0.50", "-0.0", "1_000", "1e3", ".5", "5.", "inf", "[1]", "{}",
         "1979-05-27", "²", "٣", "", '"""', "'''", "0x1f", "+1", "9" * 30],
    ),
)  # fmt: skip
LINES = st.one_of(
    st.tuples(KEYS, st.sampled_from(["=", " = ", "\t= "]), VALUES, st.sampled_from(["", " ", " # x"])).map(
        "".join
    ),
    KEYS.map(lambda key: f"[{key}]"),
    st.sampled_from(
        ["", "# c", "  # c", "[[a]]", "[a] # c", "[ a ]", "#\x07", "\x0b", "a\r", "\u2028b = 1", "x"]
    ),
)


@given(st.lists(LINES, max_size=6).map("\n".join))
def test_it_agrees_with_tomllib(text: str) -> None:
    plain = read_plain(text)
    assert plain is None or repr(plain) == repr(tomllib.loads(text))


@given(st.text(alphabet='ab=[]."\n #1-\t', max_size=24))
def test_it_agrees_with_tomllib_on_any_text(text: str) -> None:
    plain = read_plain(text)
    assert plain is None or repr(plain) == repr(tomllib.loads(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", {}),
        ("# all\n\n#comments\n", {}),
        ('vehicle = "mini"  # mine\ngather_ms = 2.5\n', {"vehicle": "mini", "gather_ms": 2.5}),
        ("[buses.body]\nchannel = '/dev/ttyACM0'\nfd = true\n[restart]\nfirst_ms = 20",
         {"buses": {"body": {"channel": "/dev/ttyACM0", "fd": True}}, "restart": {"first_ms": 20}}),
    ],
)  # fmt: skip
def test_what_people_write_goes_the_short_way(text: str, said: dict[str, object]) -> None:
    assert read_plain(text) == said
