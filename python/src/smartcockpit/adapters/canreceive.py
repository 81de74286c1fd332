# SPDX-License-Identifier: Apache-2.0
"""Loads libcanreceive, the C side of receiving and decoding (python/native), through plain ctypes calls.

Owns finding out whether it can be had, its function types, and memory that it may write into. It has no
call-backs, so no memory needs to be both writable and executable, and knows nothing of Python, so any
version of Python loads it. What its functions do: python/native/canreceive.h.
"""

from __future__ import annotations

from typing import Any

from smartcockpit.core.table import NATIVE_VERSION


class NoLibraryError(Exception):
    """libcanreceive cannot be had; the text says why."""


class Memory:
    """Zeroed memory whose address stays."""

    def __init__(self, size: int) -> None:
        import ctypes

        self.view = memoryview(bytearray(size))
        self._keep = ctypes.c_char.from_buffer(self.view)
        self.address = ctypes.addressof(self._keep)


class Library:
    """The functions of the library at `path`; raises `NoLibraryError`."""

    def __init__(self, path: str) -> None:
        try:
            import ctypes

            library = ctypes.CDLL(path)
            self.receive = library.canreceive_receive
            self.feed = library.canreceive_feed
            self.flush = library.canreceive_flush
            self.forget = library.canreceive_forget
            self._intake_size = library.canreceive_intake_size
            self._decoder_size = library.canreceive_decoder_size
            self._open = library.canreceive_open
            version = library.canreceive_version()
        except (ImportError, OSError, AttributeError, MemoryError) as error:
            raise NoLibraryError(str(error)) from error
        if version != NATIVE_VERSION:
            raise NoLibraryError(f"{path} has version {version}, not {NATIVE_VERSION}")
        pointer, size, u32, i64 = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_int64
        prototypes: tuple[tuple[Any, Any, tuple[Any, ...]], ...] = (
            (self.receive, ctypes.c_int, (pointer, ctypes.c_int)),
            (self.feed, u32, (pointer, pointer, u32, i64)),
            (self.flush, u32, (pointer, u32, i64)),
            (self.forget, None, (pointer, u32)),
            (self._intake_size, size, ()),
            (self._decoder_size, size, (ctypes.c_char_p, size)),
            (self._open, ctypes.c_int, (pointer, size, ctypes.c_char_p, size)),
        )
        for function, result, arguments in prototypes:
            function.restype, function.argtypes = result, arguments

    def intake(self) -> Memory:
        """Return memory for `receive`."""
        return Memory(self._intake_size())

    def open_decoder(self, table: bytes) -> Memory:
        """Return the memory of a decoder of `table`; raises `NoLibraryError` when the table is broken."""
        if size := self._decoder_size(table, len(table)):
            memory = Memory(size)
            if not self._open(memory.address, size, table, len(table)):
                return memory
        raise NoLibraryError("it does not take this vehicle's table")
