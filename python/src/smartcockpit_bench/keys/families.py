# SPDX-License-Identifier: Apache-2.0
"""The two families of update keys, and whom an image trusts.

development: made in `build/keys` of every checkout; signs what `make bundle` builds.
release: the product's own. RELEASE_CA= names its authority (a PEM file, without its key); without it one is
made in `build/keys` as well, so that a release image can be built and tested by anybody. Nothing made here
is for products: their authority's key lives offline, its signer's in a hardware module (docs/how-to/keys.md).
"""

from __future__ import annotations

import os
from pathlib import Path

from smartcockpit.core.errors import UsageError

from smartcockpit_bench.image.workspace import appearing
from smartcockpit_bench.keys.authority import make_authority, make_signer
from smartcockpit_bench.places import BUILD

KEYS = BUILD / "keys"
FAMILIES = ("development", "release")
OF_FLAVOUR = {"dev": "development", "release": "release"}
"""Which family signs the bundles of a flavour."""
_TRUSTED = {"dev": FAMILIES, "release": ("release",)}
"""A unit on the bench also takes releases; one in a car never takes what a developer signed."""


def family(name: str) -> Path:
    """Return the folder of a family with `ca.pem`, `signer.pem` and `signer.key`; it is made once."""
    folder = KEYS / name
    if not (folder / "signer.pem").is_file():
        with appearing(folder) as partial:
            make_authority(partial, f"SmartCockpit {name} authority of this checkout")
            make_signer(partial, f"SmartCockpit {name} signer of this checkout")
    return folder


def authority(name: str) -> Path:
    """Return the certificate of a family's authority; raises `UsageError` when RELEASE_CA names no file."""
    named = os.environ.get("RELEASE_CA", "") if name == "release" else ""
    if not named:
        return family(name) / "ca.pem"
    if not Path(named).is_file():
        raise UsageError(f"RELEASE_CA: there is no {named}", "it names the PEM file of your authority")
    return Path(named)


def keyring(flavour: str) -> bytes:
    """Return what an image of this flavour trusts: certificates alone, PEM."""
    parts = [authority(name).read_text() for name in _TRUSTED[flavour]]
    if any("PRIVATE" in part for part in parts):
        raise UsageError("a private key stands in the authority's file", "name the certificate alone")
    return "".join(part.rstrip() + "\n" for part in parts).encode()
