# SPDX-License-Identifier: Apache-2.0
"""RAUC of the image, run on the host: what makes a bundle is the release that will read it.

Debian 12's own RAUC (1.8) drops a manifest's meta sections. The program is taken out of the Debian root of
the image and started by that root's own loader, with its own libraries, so any host will do. Everything else
is the host's: files, `mksquashfs`, and the PKCS#11 engine and module of a hardware key.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from pathlib import Path

from smartcockpit.core.errors import UnavailableError, UsageError

from smartcockpit_bench.image.workspace import appearing
from smartcockpit_bench.places import CACHE
from smartcockpit_bench.progress import run

_NATIVE = {"x86_64": ("amd64", "x86_64-linux-gnu"), "aarch64": ("arm64", "aarch64-linux-gnu")}
_LOADERS = (
    "usr/lib64/ld-linux-x86-64.so.2",
    "usr/lib/aarch64-linux-gnu/ld-linux-aarch64.so.1",
)
_MODULES = ("/usr/lib/softhsm/libsofthsm2.so",)


def command() -> list[str]:
    """Return how RAUC is started; raises `UnavailableError` before an image of this machine was built."""
    arch, triplet = _NATIVE[platform.machine()]
    bases = sorted(CACHE.glob(f"base-{arch}-*"), key=lambda path: path.stat().st_mtime)
    if not bases:
        raise UnavailableError(
            f"there is no Debian root for {arch} to take RAUC from", f"run `make image ARCH={arch}`"
        )
    folder = CACHE / f"rauc-{bases[-1].name.removeprefix('base-')}"
    if not folder.is_dir():
        with appearing(folder) as partial:
            partial.mkdir()
            wanted = ["./usr/bin/rauc", f"./usr/lib/{triplet}", *(["./usr/lib64"] if arch == "amd64" else [])]
            unpack = ["tar", "-C", partial, "--no-same-owner", "-xf", bases[-1] / "root.tar", *wanted]
            run(unpack, doing="unpacking RAUC")
    loader = next(folder / name for name in _LOADERS if (folder / name).exists())
    return [str(loader), "--library-path", str(folder / "usr/lib" / triplet), str(folder / "usr/bin/rauc")]


def rauc(*arguments: object, doing: str, env: Mapping[str, str] | None = None) -> str:
    """Run RAUC to its end and return what it said; raises `StepError` with its last words."""
    return run([*command(), *arguments], doing=doing, env=env)


def pkcs11_environment(key: str) -> dict[str, str]:
    """Return what RAUC needs to reach a key by its PKCS#11 address; nothing for a file.

    RAUC_PKCS11_MODULE names the module of the hardware; without it the one of SoftHSM, if installed.
    """
    if not key.startswith("pkcs11:") or os.environ.get("RAUC_PKCS11_MODULE"):
        return {}
    found = next((module for module in _MODULES if Path(module).exists()), None)
    if found is None:
        raise UsageError(
            "the key is in a PKCS#11 module, and which is not said", "set RAUC_PKCS11_MODULE to its .so file"
        )
    return {"RAUC_PKCS11_MODULE": found}
