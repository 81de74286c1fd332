# SPDX-License-Identifier: Apache-2.0
"""Makes the module pack of an installed SmartCockpit; see `smartcockpit.runtime.module_pack`.

    python3 -SPE …/smartcockpit/runtime/module_pack_writer.py --site FOLDER [--destdir FOLDER] [--strict]

To be run by the interpreter that will run the programs, when the .pyc files are there. What goes in is found,
not listed: the installed programs (daemons, health gate, cockpitctl) are imported, and what their modules
import in functions, as far as that is ours or the standard library's. Names the programs that cannot be
imported, whose own modules are then missing from the pack; with --strict that is an error.
"""

from __future__ import annotations

import argparse
import ast
import marshal
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path

PROGRAMS = ("smartcockpit.daemons.", "smartcockpit.cli.", "smartcockpit.health.")
"""Whose start is packed; the vehicle compiler is a tool for the desk."""


def main() -> int:
    """Write the pack; exit code 1 when a program is missing and --strict says that none may."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--site", required=True)
    parser.add_argument("--destdir", default="")
    parser.add_argument("--strict", action="store_true")
    options = parser.parse_args()
    destdir = options.destdir.rstrip("/")
    site = Path(destdir + options.site)
    sys.path.append(str(site))
    missing = 0
    for program in programs(site):
        try:
            import_module(program)
        except ImportError as error:
            missing += 1
            print(f"module pack: without {program}: {error}", file=sys.stderr)
    import_late_ones()
    write(destdir)
    return 1 if missing and options.strict else 0


def programs(site: Path) -> list[str]:
    """Return the modules in which the installed programs start."""
    text = next(site.glob("smartcockpit-*.dist-info/entry_points.txt")).read_text()
    targets = (line.partition("=")[2].partition(":")[0].strip() for line in text.splitlines())
    return sorted(target for target in targets if target.startswith(PROGRAMS))


def import_late_ones() -> None:
    """Import what our loaded modules import in functions, and what those import, to the last."""
    seen: set[str] = set()
    while waiting := {name for name in sys.modules if name.startswith("smartcockpit.")} - seen:
        seen |= waiting
        for module in sorted(waiting):
            source = sys.modules[module].__file__
            for name in sorted(set(imports(ast.parse(Path(source).read_bytes())))) if source else ():
                try:
                    import_module(name)
                except ImportError:
                    continue  # a name of a module and not a module, or an optional one


def imports(tree: ast.AST) -> Iterator[str]:
    """Yield what a module imports anywhere and may be a module of ours or the standard library's."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            top, _, rest = name.partition(".")
            if top in sys.stdlib_module_names or (top == "smartcockpit" and not rest.startswith("vehicle")):
                yield name


def write(destdir: str) -> None:
    """Write the pack of all modules that are loaded from source files; it appears whole or not at all."""
    from smartcockpit.runtime import module_pack

    entries: dict[str, module_pack.Entry] = {}
    blobs: list[bytes] = []
    offset = 0
    for name, module in sorted(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or type(spec.loader) is not SourceFileLoader:
            continue
        file, package = spec.loader.path, spec.submodule_search_locations is not None
        source, found = file.removeprefix(destdir), Path(file).stat()
        blob = byte_code(Path(file), source)
        entries[name] = (
            source, cache_from_source(source), package, found.st_size, int(found.st_mtime), offset, len(blob),
        )  # fmt: skip
        blobs.append(blob)
        offset += len(blob)
    version, optimize, path = module_pack.made_by()
    who = (version, optimize, [folder.removeprefix(destdir) for folder in path])
    index = marshal.dumps((who, entries), 2)  # 2: without references, which differ from run to run
    target = Path(module_pack.path())
    target.parent.mkdir(exist_ok=True)
    partial = target.with_suffix(".partial")
    partial.write_bytes(b"".join((module_pack.FORMAT, len(index).to_bytes(8, "little"), index, *blobs)))
    partial.replace(target)


def byte_code(file: Path, source: str) -> bytes:
    """Return the code of a module as its .pyc has it, where that is up to date, else compiled as `source`."""
    text, cached = file.read_bytes(), Path(cache_from_source(str(file)))
    data = cached.read_bytes() if cached.exists() else b""
    flags = int.from_bytes(data[4:8], "little")
    found = file.stat()
    stamp = int(found.st_mtime).to_bytes(4, "little") + found.st_size.to_bytes(4, "little")
    if data[:4] == MAGIC_NUMBER and data[8:16] == (source_hash(text) if flags & 1 else stamp):
        return data[16:]
    return marshal.dumps(compile(text, source, "exec", dont_inherit=True))


if __name__ == "__main__":
    sys.exit(main())
