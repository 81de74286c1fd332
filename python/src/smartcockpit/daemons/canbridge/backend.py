# SPDX-License-Identifier: Apache-2.0
"""Which back-end receives and decodes: the C library, or Python where that cannot be loaded or is not wanted.

Owns the choice, made once, when the first bus opens or somebody asks for it: until then nothing is loaded.
"""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

from smartcockpit.core.decode import Decoder, DecoderBackend
from smartcockpit.core.table import VehicleTable

if TYPE_CHECKING:
    from smartcockpit.adapters.canreceive import Library

log = logging.getLogger(__name__)


class Backend:
    """The back-end of all buses; `wish` and `path` are the settings decoder and decoder_library."""

    def __init__(self, wish: str, path: str) -> None:
        self._wish, self._path = wish, path
        self._refused = False

    @cached_property
    def library(self) -> Library | None:
        """The C library, or None; why there is none is said once in the log."""
        if self._wish == "python":
            return None
        from smartcockpit.adapters.canreceive import Library, NoLibraryError

        try:
            return Library(self._path)
        except NoLibraryError as error:
            log.info("frames are decoded in Python, at some times the cost: %s", error)
            return None

    @property
    def name(self) -> str:
        """What works: native or python."""
        return "python" if self.library is None or self._refused else "native"

    def decoder(self, table: VehicleTable, index: int) -> DecoderBackend:
        """Return a decoder of bus `index`."""
        if self.library is None:
            return Decoder(table, index)
        from smartcockpit.adapters.canreceive import NoLibraryError
        from smartcockpit.adapters.native_decoder import NativeDecoder

        try:
            return NativeDecoder(table, index, self.library)
        except NoLibraryError as error:
            self._refused = True
            log.warning("%s is decoded in Python, at some times the cost: %s", table.buses[index].name, error)
            return Decoder(table, index)
