# SPDX-License-Identifier: Apache-2.0
"""lgpio for the target's Python, built from its sources: neither Debian 13 nor the package index has it for
3.13.

The sources are those of python/requirements.lock, by hash; the headers come from Debian's libpython, unpacked
beside the kernel; the compiler is the host's, for the other architecture its cross compiler. Three seconds,
then kept in `build/cache`.
"""

from __future__ import annotations

import shutil
import sys
import tarfile
import tempfile
from pathlib import Path

from smartcockpit_bench.image.workspace import appearing
from smartcockpit_bench.places import CACHE
from smartcockpit_bench.progress import run

TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
NAME = "lgpio"


def install_lgpio(site: Path, headers: Path, arch: str, lock_entry: str) -> None:
    """Put the module and its extension into `site`; `headers` is a tree with usr/include/python3.x."""
    include = next(headers.glob("usr/include/python3.*"))
    version = lock_entry.split("==")[1].split(maxsplit=1)[0]
    built = CACHE / "native" / f"{NAME}-{version}-{include.name}-{arch}"
    if not built.is_dir():
        with appearing(built) as partial, tempfile.TemporaryDirectory() as scratch:
            source = _sources(Path(scratch), lock_entry)
            partial.mkdir(parents=True)
            _build(source, partial, include, TRIPLETS[arch])
    for made in built.iterdir():
        shutil.copyfile(made, site / made.name)


def _sources(scratch: Path, lock_entry: str) -> Path:
    """Download and unpack the sources, verified by the hashes of the lock file."""
    # The lock file's marker says for which Pythons there are wheels; the sources are for all.
    requirement, _, rest = lock_entry.partition(" ;")
    hashes = rest[rest.index("\\") :] if rest else ""
    wanted = scratch / "requirements.txt"
    wanted.write_text(f"{requirement} {hashes}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    pip += ["--no-binary=:all:", "--no-build-isolation", "-d", str(scratch), "-r", str(wanted)]
    run(pip, doing=f"downloading {NAME}")
    with tarfile.open(next(scratch.glob(f"{NAME}-*.tar.gz"))) as archive:
        archive.extractall(scratch, filter="data")
    return next(path for path in scratch.glob(f"{NAME}-*") if path.is_dir())


def _build(source: Path, result: Path, include: Path, triplet: str) -> None:
    wrapper = source / "wrapper.c"
    # The interface file names its Python half without a folder.
    run(
        ["swig", "-python", "-outdir", result, "-o", wrapper, f"{NAME}.i"],
        doing=f"wrapping {NAME}",
        cwd=source,
    )
    code = [wrapper, *sorted(source.glob("src/lg*.c")), source / "src" / "rgpiod.c"]
    flags = ["-shared", "-fPIC", "-O2", "-pthread", "-s", "-w"]
    folders = [f"-I{source / 'src'}", f"-I{include}", f"-I{include.parent}"]
    run([f"{triplet}-gcc", *flags, *folders, "-o", result / f"_{NAME}.so", *code], doing=f"compiling {NAME}")
