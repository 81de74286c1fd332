# SPDX-License-Identifier: Apache-2.0
"""Is a compiled vehicle newer than its sources? The digest over everything that a table depends on.

Owns where the VSS catalogue is found. Needs neither cantools nor YAML, so that a daemon may ask cheaply.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import smartcockpit
from smartcockpit.core.errors import ConfigError
from smartcockpit.core.table import FORMAT

SUFFIXES = {".dbc", ".toml", ".vspec", ".json", ".yaml"}
"""What a vehicle folder is made of; other files in it are nothing to us."""
INSTALLED_VSS = Path("/usr/share/smartcockpit/vss")


def default_vss() -> Path:
    """Return the folder of the catalogue: SMARTCOCKPIT_VSS, the installed one, or the checkout's dbc/vss."""
    named = os.environ.get("SMARTCOCKPIT_VSS")
    if named:
        return Path(named)
    checkout = Path(__file__).resolve().parents[4] / "dbc" / "vss"
    for folder in (checkout, INSTALLED_VSS):
        if (folder / "Vehicle.vspec").is_file():
            return folder
    raise ConfigError(
        f"no VSS catalogue in {INSTALLED_VSS}", "name its folder with --vss DIR or SMARTCOCKPIT_VSS"
    )


def sources_digest(folder: Path, vss: Path | None = None) -> str:
    """Return the SHA-256 (hex) over all sources of a vehicle, the catalogue, table format and our version."""
    digest = hashlib.sha256(f"{FORMAT} {smartcockpit.__version__}\n".encode())
    for root in (folder, vss or default_vss()):
        for path in sorted(p for p in root.rglob("*") if p.suffix in SUFFIXES and p.is_file()):
            try:
                data = path.read_bytes()
            except OSError as error:
                raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
            digest.update(f"{path.relative_to(root)} {len(data)}\n".encode())
            digest.update(data)
    return digest.hexdigest()
