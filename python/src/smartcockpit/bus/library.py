# SPDX-License-Identifier: Apache-2.0
"""The door to dbus-next: what of the library we use, and how it is imported.

We use its type system and the codec of bodies (`Variant`, signatures, marshaller and unmarshaller). Its
`MessageBus` is not used: headers, the reader, the writer, the dispatch and the life of a connection are ours,
see `smartcockpit.bus.connection`, and of the class nothing but its private parts would be left. Import this
module in the function that needs it: it costs 3 ms, and a daemon gets onto the bus without.

`import dbus_next` runs a package file that pulls in both main-loop flavours, the high-level service, an XML
parser and `inspect`; the service module moreover cannot be imported on Python 3.15. So the package object
is deferred: it runs that file on first use of a name that only the file defines. Submodules, and programs
that use the whole library in the same process (our tests do), work as ever.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smartcockpit.core.defer import defer_module

defer_module("dbus_next")
import_module("dbus_next.errors")  # first: the library imports itself in a circle, which is open here alone
_signature = import_module("dbus_next.signature")

Marshaller: Any = import_module("dbus_next._private.marshaller").Marshaller
Unmarshaller: Any = import_module("dbus_next._private.unmarshaller").Unmarshaller

if TYPE_CHECKING:

    class Variant:
        """A value with its own D-Bus type (specification, "Container types").

        Raises `ValueError` when the value does not fit the signature.
        """

        signature: str
        value: Any

        def __init__(self, signature: str, value: Any) -> None: ...
else:
    Variant = _signature.Variant

_CACHED_SIGNATURES = 512


def signature_types(signature: str) -> list[Any]:
    """Return the parsed complete types of `signature`; raises `ValueError` when it is malformed.

    dbus-next keeps every signature it ever saw; callers choose the signatures of variants, so the cache
    gets a bound.
    """
    cache = _signature.SignatureTree._cache
    if len(cache) > _CACHED_SIGNATURES:
        cache.clear()
    types: list[Any] = _signature.SignatureTree._get(signature).types
    return types


class _End:
    """The stream behind a complete message: nothing follows."""

    @staticmethod
    def read(_: int) -> bytes:
        return b""


def unmarshaller(data: bytes | bytearray, little_endian: bool, offset: int = 0) -> Any:
    """Return the library's reader of `data` from `offset` on; it raises `EOFError` at the end."""
    reader = Unmarshaller(_End())
    reader.buf, reader.endian, reader.offset = bytearray(data), ord("l" if little_endian else "B"), offset
    return reader
