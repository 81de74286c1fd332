# SPDX-License-Identifier: Apache-2.0
"""A certificate authority of one's own for the simulated server, and certificates that must be refused."""

from __future__ import annotations

import datetime
import ssl
import warnings
from pathlib import Path

import trustme

TLS_FAULTS = (
    "expired", "not-yet-valid", "wrong-host", "self-signed", "unknown-ca", "tls-1.1", "client-certificate",
)  # fmt: skip


class Pki:
    """Writes what clients need below `folder`: ca.pem, client.pem (certificate and key).

    `names` are those of the server, or its addresses.
    """

    def __init__(self, folder: Path, names: tuple[str, ...] = ("localhost",)) -> None:
        self._names = names
        self.ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.client_file = folder / "client.pem"
        self.ca.cert_pem.write_to_path(str(self.ca_file))
        self.ca.issue_cert("car@example.org").private_key_and_cert_chain_pem.write_to_path(
            str(self.client_file)
        )

    def write_leaf(self, folder: Path) -> tuple[Path, Path]:
        """Write certificate and key of a sound server for localhost; return their paths."""
        leaf = self.ca.issue_cert("localhost")
        certificate, key = folder / "server.pem", folder / "server.key"
        leaf.cert_chain_pems[0].write_to_path(str(certificate))
        leaf.private_key_pem.write_to_path(str(key))
        return certificate, key

    def context(self, fault: str = "") -> ssl.SSLContext:
        """Return the server's TLS, sound or with one of `TLS_FAULTS`."""
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        match fault:
            case "expired":
                leaf = self.ca.issue_cert("localhost", not_before=now - 9 * day, not_after=now - day)
            case "not-yet-valid":
                leaf = self.ca.issue_cert("localhost", not_before=now + day, not_after=now + 9 * day)
            case "wrong-host":
                leaf = self.ca.issue_cert("elsewhere.example.org")
            case "self-signed" | "unknown-ca":
                leaf = trustme.CA().issue_cert("localhost")
            case _:
                leaf = self.ca.issue_cert(*self._names)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if fault == "self-signed":
            alone = trustme.CA()
            with alone.cert_pem.tempfile() as certificate, alone.private_key_pem.tempfile() as key:
                context.load_cert_chain(certificate, key)
        else:
            leaf.configure_cert(context)
        if fault == "tls-1.1":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
            context.set_ciphers("DEFAULT:@SECLEVEL=0")
        if fault == "client-certificate":
            context.verify_mode = ssl.CERT_REQUIRED
            self.ca.configure_trust(context)
        return context
