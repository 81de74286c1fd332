# SPDX-License-Identifier: Apache-2.0
"""The door to dbus-next: what of the library we use, and how it is imported.

We use its type system and codec (`Message`, `Variant`, `SignatureTree`, the unmarshaller) and its
authentication. Its `MessageBus` is not used: the reader, the writer, the dispatch and the life of a
connection are ours, see `smartcockpit.bus.connection`, and of the class nothing but its private parts would
be left.

`import dbus_next` runs a package file that pulls in both main-loop flavours, the high-level service, an XML
parser and `inspect`; the service module moreover cannot be imported on Python 3.15. So the package object
is deferred: it runs that file on first use of a name that only the file defines. Submodules, and programs
that use the whole library in the same process (our tests do), work as ever.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from smartcockpit.core.defer import defer_module

if not defer_module("dbus_next"):
    raise ModuleNotFoundError("No module named 'dbus_next' (Debian: python3-dbus-next)", name="dbus_next")
_auth = import_module("dbus_next.auth")
_message = import_module("dbus_next.message")
_signature = import_module("dbus_next.signature")

AuthExternal: Any = _auth.AuthExternal
AuthError: type[Exception] = _auth.AuthError
Message: Any = _message.Message
MessageType: Any = _message.MessageType
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
