# SPDX-License-Identifier: Apache-2.0
"""Who an image is and whom it trusts: what is wrongly named in the environment is told with its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from smartcockpit.core.errors import UsageError
from smartcockpit_bench.image import version
from smartcockpit_bench.keys import families


@pytest.mark.parametrize("named", ["yesterday", "-1", "1e9", "2026-11-24"])
def test_a_build_time_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", named)
    with pytest.raises(UsageError, match=f"SOURCE_DATE_EPOCH: '{named}' is no time.*seconds since 1970"):
        version.build_epoch()


def test_an_authority_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RELEASE_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match=r"RELEASE_CA: there is no .*ca\.pem.*PEM file of your authority"):
        families.keyring("release")


def test_an_authority_with_its_private_key_gets_into_no_image(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("-----BEGIN " + "PRIVATE KEY-----\n")
    monkeypatch.setenv("RELEASE_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(UsageError, match="a private key stands in"):
        families.keyring("release")
