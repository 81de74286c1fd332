# SPDX-License-Identifier: Apache-2.0
"""Serves modules from the pack: one file with the byte-code of all that our programs load at their start.

An ordinary import looks for the module in the folders of `sys.path`, stats its source, opens, reads and
checks its .pyc: six system calls and as much Python again, for each of 150 modules. From the pack it is one
stat and one read. What that saves stands in docs/decisions/0020.

The pack is a cache and never the truth. It is left alone when another interpreter made it, or for another
`sys.path`; a module whose source has not the size and time of change that the pack knows (what Python asks
of a .pyc as well), or whose bytes are no code, is imported the ordinary way. As with a .pyc, bytes that are
code are trusted: whoever can write the pack can write the modules beside it.

`smartcockpit.runtime.module_pack_writer` makes the pack, `make install` calls it. The installed programs
call `use` before they import anything else, so next to nothing is imported here.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader

TYPE_CHECKING = False  # as in typing, which comes from the pack
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType

FORMAT = b"smartcockpit module pack 1\n"
HEAD_BYTES = len(FORMAT) + 8
"""`FORMAT`, then the index' size, 8 bytes, least significant first. Behind it: the index, then all code."""

Entry = tuple[str, str, bool, int, int, int, int]
"""Source, .pyc, whether it is a package; the source's size and time of change (s); place and size of the
code."""

state = "not asked for"
"""What became of the pack, for the log."""


def path() -> str:
    """Return where the pack of this interpreter is: with the byte-code of our package."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return os.path.join(package, "__pycache__", f"modules.{sys.implementation.cache_tag}.pack")


def made_by() -> tuple[int, int, list[str]]:
    """Return what must be the same when the pack is made and when it is used."""
    return sys.hexversion, sys.flags.optimize, sys.path


def use() -> None:
    """Have modules come from the pack from now on; `state` says why not when it cannot be used."""
    global state  # noqa: PLW0603 - there is one pack and one import system
    try:
        pack = ModulePack(path())
    except FileNotFoundError:
        state = "there is none"
    except (OSError, ValueError, EOFError, TypeError) as error:
        state = f"not used: {error}"
    else:
        state = f"in use, {len(pack)} modules"
        sys.meta_path.insert(0, pack)


class ModulePack:
    """A finder (Python reference, 5.3.3) over one pack, which it keeps open.

    Raises `OSError`, `ValueError`, `EOFError` or `TypeError` for a file that is no pack for us.
    """

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            head = os.pread(self._fd, HEAD_BYTES, 0)
            size = int.from_bytes(head[len(FORMAT) :], "little")
            if not head.startswith(FORMAT) or size > os.fstat(self._fd).st_size:
                raise ValueError("it is damaged, or of another format")
            self._code_at = HEAD_BYTES + size
            who, entries = marshal.loads(os.pread(self._fd, size, HEAD_BYTES))  # noqa: S302 - see above
            if who != made_by():
                raise ValueError("it was made by another Python, or for another sys.path")
            self._entries: dict[str, Entry] = dict(entries)
        except BaseException:
            os.close(self._fd)
            raise

    def __len__(self) -> int:
        return len(self._entries)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of module `name`, None when it is not in the pack as it is on disk."""
        del path, target  # a module of the pack is where it was
        entry = self._entries.get(name)
        if entry is None:
            return None
        source, cached, is_package, size, changed_s, *place = entry
        try:
            found = os.stat(source)
        except OSError:
            return None
        if found.st_size != size or int(found.st_mtime) != changed_s:
            return None
        loader = _Loader(name, source, self, *place)
        spec = ModuleSpec(name, loader, origin=source, is_package=is_package)
        spec.has_location, spec.cached = True, cached
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.dirname(source))
        return spec

    def code(self, offset: int, size: int) -> CodeType | None:
        """Return the code at that place, None when what is there is none."""
        try:
            code = marshal.loads(os.pread(self._fd, size, self._code_at + offset))  # noqa: S302 - see above
        except (OSError, ValueError, EOFError, TypeError):
            return None
        return code if type(code) is type(use.__code__) else None


class _Loader(SourceFileLoader):
    """The ordinary loader (source text, resources and all), but for where the code comes from."""

    def __init__(self, name: str, path: str, pack: ModulePack, offset: int, size: int) -> None:
        super().__init__(name, path)
        self._pack, self._offset, self._size = pack, offset, size

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code."""
        return self._pack.code(self._offset, self._size) or super().get_code(fullname)
