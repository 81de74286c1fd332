# SPDX-License-Identifier: Apache-2.0
"""Makes certificate authorities and signing certificates with the `openssl` program.

One authority per purpose: RAUC installs whatever is signed below an authority that it knows, so what must not
mix needs authorities of its own. Signers carry the extended key usage codeSigning, which the image's
`check-purpose=codesign` asks for (RAUC, "Security"). Who uses which is `keys.families`.
"""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from smartcockpit_bench.progress import run

NOT_BEFORE = datetime(2024, 1, 1, tzinfo=UTC)
"""Long before any image is built: a unit without a clock starts at its image's build time and must not find
the signer "not yet valid"."""
AUTHORITY_YEARS, SIGNER_YEARS = 30, 10
_KEY = ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072")
_CONFIG = """
[ca]
default_ca = ours
[ours]
database = {folder}/index.txt
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
email_in_dn = no
[any]
commonName = supplied
[req]
distinguished_name = any
[authority]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, codeSigning
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""


def make_authority(folder: Path, name: str) -> None:
    """Write `ca.pem` and `ca.key` into `folder`: an authority called `name`, valid for 30 years."""
    folder.mkdir(parents=True, exist_ok=True)
    key = make_key(folder / "ca.key")
    own = ["-selfsign", "-keyfile", key]
    _issue(folder / "ca.pem", key, name, own, "authority", _in_years(AUTHORITY_YEARS))


def make_signer(authority: Path, name: str, *, stem: str = "signer", until: datetime | None = None) -> None:
    """Write `<stem>.pem` and `<stem>.key` beside the authority in the folder `authority`.

    `until` is the last moment at which it is valid; tests of expired signers set it.
    """
    key = make_key(authority / f"{stem}.key")
    issuer = ["-keyfile", authority / "ca.key", "-cert", authority / "ca.pem"]
    certificate = authority / f"{stem}.pem"
    _issue(certificate, key, name, issuer, "signer", until or _in_years(SIGNER_YEARS))


def make_key(path: Path) -> Path:
    """Make an RSA key of 3072 bits, readable by its owner alone."""
    path.touch(mode=0o600)
    run(["openssl", "genpkey", *_KEY, "-out", path], doing=f"making {path.name}")
    path.chmod(0o600)
    return path


def _issue(  # noqa: PLR0917 - what a certificate is made of
    certificate: Path, key: Path, name: str, issuer: list[object], kind: str, until: datetime
) -> None:
    # `openssl ca` and not `openssl x509`: only it sets the start date in every release that Debian has.
    folder = Path(tempfile.mkdtemp(prefix="smartcockpit-keys-"))
    try:
        config = folder / "openssl.cnf"
        config.write_text(_CONFIG.format(folder=folder))
        (folder / "index.txt").touch()
        request = folder / "request.pem"
        subject = ["-subj", f"/CN={name}"]
        ask = ["openssl", "req", "-new", "-config", config, "-key", key, *subject]
        run([*ask, "-out", request], doing=f"asking for {certificate.name}")
        dates = ["-startdate", _stamp(NOT_BEFORE), "-enddate", _stamp(until)]
        options = ["-batch", "-notext", "-extensions", kind, *dates]
        run(
            ["openssl", "ca", "-config", config, *issuer, *options, "-in", request, "-out", certificate],
            doing=f"signing {certificate.name}",
        )
    finally:
        shutil.rmtree(folder)


def _in_years(years: int) -> datetime:
    return datetime.now(UTC) + timedelta(days=365 * years)


def _stamp(when: datetime) -> str:
    """GeneralizedTime of RFC 5280, 4.1.2.5.2."""
    return when.strftime("%Y%m%d%H%M%SZ")
