# SPDX-License-Identifier: Apache-2.0
"""Bundles and keys against the real RAUC of the image, run on the host; nothing is booted here."""

from __future__ import annotations

import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from smartcockpit.core.errors import ConfigError, SmartCockpitError, UsageError
from smartcockpit_bench.bundle.build import Order, Signer, build
from smartcockpit_bench.bundle.notes import read_notes
from smartcockpit_bench.bundle.rauc import rauc
from smartcockpit_bench.bundle.samples import tiny
from smartcockpit_bench.image import disk, slot
from smartcockpit_bench.keys import families
from smartcockpit_bench.keys.authority import make_authority, make_signer
from smartcockpit_bench.places import BUILD, ROOT, image_dir

from .conftest import image

PEM = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\r?\n[A-Za-z0-9+/=\r\n]{64}")
SOFTHSM = Path("/usr/lib/softhsm/libsofthsm2.so")


class Built(NamedTuple):
    development: Path
    release: Path


def signed_by(family: Path, bundle: Path) -> Path:
    return tiny(bundle, signer=Signer.of_family(family), version="9.8.7")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("bundles")
    for flavour in ("dev", "release"):
        image(flavour)
    return Built(
        signed_by(families.family("development"), folder / "development.raucb"),
        signed_by(families.family("release"), folder / "release.raucb"),
    )


def info(bundle: Path, keyring: Path) -> str:
    """Ask RAUC about a bundle as a unit with this keyring would; its refusal comes as an error."""
    shipped = (ROOT / "bench/rootfs/common/etc/rauc/system.conf").read_text()
    conf = bundle.with_suffix(".conf")
    conf.write_text(shipped.replace("/etc/rauc/keyring.pem", str(keyring)))
    return rauc("info", f"--conf={conf}", bundle, doing="looking at the bundle")


def slot_of(flavour: str, folder: Path) -> Path:
    target = folder / f"{flavour}.ext4"
    slot.extract(
        image_dir("amd64", flavour) / "disk.img", disk.partitions()["rootfs-a"].start_mib << 20, target
    )
    return target


def keyring_of(flavour: str, folder: Path) -> Path:
    target = folder / f"{flavour}.pem"
    target.write_text(slot.read(slot_of(flavour, folder), "etc/rauc/keyring.pem"))
    return target


def test_release_image_refuses_what_a_developer_signed(bundles: Built, tmp_path: Path) -> None:
    keyring = keyring_of("release", tmp_path)
    assert "Version:        '9.8.7'" in info(bundles.release, keyring)
    with pytest.raises(SmartCockpitError, match="unable to get local issuer certificate"):
        info(bundles.development, keyring)


def test_development_image_takes_both(bundles: Built, tmp_path: Path) -> None:
    keyring = keyring_of("dev", tmp_path)
    for bundle in bundles:
        assert "'9.8.7'" in info(bundle, keyring)


def test_driver_is_told_what_the_notes_say(tmp_path: Path, bundles: Built) -> None:
    notes = tmp_path / "notes.toml"
    notes.write_text('description = "Spring"\nchanges = "Warmer colours."\nminutes = 4\n')
    family = families.family("development")
    order = Order("amd64", "dev", Signer.of_family(family), read_notes(notes), "1.0.0-rc.1+g12")
    assert build(order, tmp_path / "b.raucb") == "1.0.0-rc.1+g12"
    said = info(tmp_path / "b.raucb", family / "ca.pem")
    assert "Description:    'Spring'" in said
    assert "changes: Warmer colours." in said
    assert "minutes: 4" in said
    assert re.search(r"build-epoch: 1[0-9]{9}\n", said)
    assert "Adaptive:  block-hash-index" in said
    assert "Bundle Format:  verity" in said


@pytest.mark.parametrize(
    ("text", "complaint"),
    [('colour = "red"', "no note 'colour'"), ("minutes = 'x'", "whole number"), ('purpose = "a\\nb"', "one line"), ("=", "notes.toml")],
)  # fmt: skip
def test_wrong_notes_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "notes.toml").write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        read_notes(tmp_path / "notes.toml")


@pytest.mark.parametrize("version", ["1.0", "v1.0.0", "1.0.0+a-b", "1.0.0 ", "01.0.0"])
def test_a_version_that_rauc_would_misread_is_refused(tmp_path: Path, version: str, bundles: Built) -> None:
    signer = Signer.of_family(families.family("development"))
    with pytest.raises(UsageError, match="is no version"):
        build(Order("amd64", "dev", signer, read_notes(None), version), tmp_path / "b.raucb")


@pytest.mark.parametrize("kind", ["another authority", "expired", "for other purposes"])
def test_signers_that_must_not_sign_are_refused(tmp_path: Path, kind: str, bundles: Built) -> None:
    family = tmp_path / "family"
    make_authority(family, "Test authority")
    keyring = family / "ca.pem"
    if kind == "for other purposes":
        shutil.copy(keyring, family / "signer.pem")
        shutil.copy(family / "ca.key", family / "signer.key")
    else:
        until = datetime.now(UTC) - timedelta(days=1) if kind == "expired" else None
        make_signer(family, "Test signer", until=until)
    if kind == "another authority":
        keyring = families.family("release") / "ca.pem"
    with pytest.raises(SmartCockpitError, match=r"local issuer|has expired|unsuitable certificate purpose"):
        # An expired signer is already refused when it signs, where RAUC knows the keyring; it does not here.
        info(signed_by(family, tmp_path / "b.raucb"), keyring)


@pytest.mark.skipif(
    not SOFTHSM.exists(), reason="SoftHSM is missing: apt install softhsm2 libengine-pkcs11-openssl"
)
def test_a_key_that_never_leaves_its_module_signs_a_release(
    tmp_path: Path, bundles: Built, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not list(Path("/usr/lib").glob("*/engines-3/pkcs11.so")):
        pytest.skip("OpenSSL's PKCS#11 engine is missing: apt install libengine-pkcs11-openssl")
    family, tokens = families.family("release"), tmp_path / "tokens"
    tokens.mkdir()
    (tmp_path / "softhsm.conf").write_text(f"directories.tokendir = {tokens}\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "softhsm.conf"))
    monkeypatch.setenv("RAUC_PKCS11_PIN", "1234")
    pkcs8 = tmp_path / "signer.p8"
    for command in (
        ["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", family / "signer.key", "-out", pkcs8],
        ["softhsm2-util", "--init-token", "--free", "--label", "release", "--pin", "1234", "--so-pin", "5678"],
        ["softhsm2-util", "--import", pkcs8, "--token", "release", "--label", "signer", "--id", "01", "--pin", "1234"],
    ):  # fmt: skip
        subprocess.run(command, check=True, capture_output=True)
    pkcs8.unlink()
    signer = Signer(str(family / "signer.pem"), "pkcs11:token=release;object=signer;type=private")
    tiny(tmp_path / "b.raucb", signer=signer, version="2.0.0")
    assert "'2.0.0'" in info(tmp_path / "b.raucb", keyring_of("release", tmp_path))


@pytest.mark.parametrize("flavour", ["dev", "release"])
def test_no_private_key_is_in_the_image(flavour: str, tmp_path: Path, bundles: Built) -> None:
    root, files = slot_of(flavour, tmp_path), tmp_path / "files"
    files.mkdir()
    subprocess.run(["debugfs", "-R", f"rdump / {files}", root], check=True, capture_output=True)
    contents = {
        path: path.read_bytes() for path in files.rglob("*") if path.is_file() and not path.is_symlink()
    }
    assert len(contents) > 3000
    # Programs of cryptography carry keys for their self-tests.
    texts = {path: content for path, content in contents.items() if not content.startswith(b"\x7fELF")}
    assert [path for path, content in texts.items() if PEM.search(content)] == []
    secrets = [
        path for path in (*BUILD.glob("keys/*/*.key"), *BUILD.glob("ssh/id_*")) if path.suffix != ".pub"
    ]
    assert secrets
    for secret in secrets:
        line = secret.read_bytes().splitlines()[3]
        assert len(line) > 40
        assert [path for path, content in contents.items() if line in content] == []


def test_no_private_key_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    ).stdout  # fmt: skip
    files = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    assert [path for path in files if path.is_file() and PEM.search(path.read_bytes())] == []


@pytest.mark.parametrize("flavour", ["dev", "release"])
def test_image_holds_our_policy_of_rauc_and_no_other(flavour: str, tmp_path: Path, bundles: Built) -> None:
    root = slot_of(flavour, tmp_path)
    ours = (ROOT / "systemd/dbus-1/system.d/de.pengutronix.rauc.conf").read_text()
    assert slot.read(root, "usr/share/dbus-1/system.d/de.pengutronix.rauc.conf") == ours
    assert b"This config allows anyone to control rauc" not in root.read_bytes()


@pytest.mark.parametrize("flavour", ["dev", "release"])
def test_image_knows_its_version_and_takes_nothing_older(
    flavour: str, tmp_path: Path, bundles: Built
) -> None:
    version = (image_dir("amd64", flavour) / "version").read_text().strip()
    root = slot_of(flavour, tmp_path)
    assert f"IMAGE_VERSION={version}\n" in slot.read(root, "usr/lib/os-release")
    assert f"min-bundle-version={version}\n" in slot.read(root, "etc/rauc/system.conf")
    assert ("-dev." in version) == (flavour == "dev")
