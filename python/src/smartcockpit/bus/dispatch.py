# SPDX-License-Identifier: Apache-2.0
"""From a received method call to its answer.

The order matters: size, object, interface, method and signature are checked on the header alone; only a
call that is going to be served has its body taken apart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any

from smartcockpit.bus.codec import Incoming, Outgoing, answer_to
from smartcockpit.bus.declare import MethodSpec, spec_of
from smartcockpit.bus.errors import INTERNAL, CallTimeoutError, DBusFailure, to_dbus
from smartcockpit.bus.header import ERROR as ERROR_MESSAGE
from smartcockpit.bus.header import ERROR_NAME, RETURN
from smartcockpit.bus.names import ERROR
from smartcockpit.bus.objects import Objects
from smartcockpit.core.nearest import did_you_mean

_log = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 20.0
"""A method may take that long; the callers of the reference library wait 25 s."""


def _find(objects: Objects, call: Incoming) -> tuple[Any, MethodSpec]:
    implementations = objects.at(call.path)
    if call.interface and call.interface not in implementations:
        hint = did_you_mean(call.interface, implementations, f"there is {', '.join(implementations)}")
        raise DBusFailure(
            ERROR + "UnknownInterface", f"no interface {call.interface!r} at {call.path!r}: {hint}"
        )
    chosen = [implementations[call.interface]] if call.interface else list(implementations.values())
    known: list[str] = []
    for obj in chosen:
        methods = spec_of(obj).methods
        if call.member in methods:
            return obj, methods[call.member]
        known += methods
    hint = did_you_mean(call.member, known, f"there is {', '.join(known) or 'none'}")
    raise DBusFailure(ERROR + "UnknownMethod", f"no method {call.member!r} at {call.path!r}: {hint}")


def _arguments(call: Incoming, method: MethodSpec) -> list[Any]:
    if call.signature != method.in_signature:
        wanted = ", ".join(f"{a.name}: {a.signature}" for a in method.inputs)
        raise DBusFailure(
            ERROR + "InvalidArgs", f"{method.name} takes ({wanted}), but the call has {call.signature!r}"
        )
    try:
        return call.args()
    except ValueError as error:
        raise DBusFailure(ERROR + "InvalidArgs", f"{method.name}: {error}") from error


def answer(objects: Objects, call: Incoming) -> Outgoing | Coroutine[Any, Any, Outgoing]:
    """Serve `call`; return the reply or error message, or what to await for it when the method is `async`.

    Never raises. This is the edge where every error becomes a D-Bus error; one that is no
    `SmartCockpitError` is a bug and goes to the log in full, to the caller as
    org.smartcockpit.Error.Internal.
    """
    try:
        if call.too_large:
            raise DBusFailure(
                ERROR + "LimitsExceeded",
                f"a call of {call.too_large} bytes is too large; ask for less at a time",
            )
        obj, method = _find(objects, call)
        who = {"sender": call.sender} if method.wants_sender else {}
        result = getattr(obj, method.python_name)(*_arguments(call, method), **who)
        if isinstance(result, Awaitable):
            return _answer_later(call, method, result)
        return _reply(call, method, result)
    except Exception as error:
        return error_reply(call, error)


async def _answer_later(call: Incoming, method: MethodSpec, result: Awaitable[Any]) -> Outgoing:
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            return _reply(call, method, await result)
    except TimeoutError:
        return error_reply(call, CallTimeoutError(f"{method.name} took longer than {ANSWER_TIMEOUT_S:g} s"))
    except Exception as error:
        return error_reply(call, error)


def _reply(call: Incoming, method: MethodSpec, result: Any) -> Outgoing:
    count = len(method.outputs)
    values = () if count == 0 else (result,) if count == 1 else tuple(result)
    fds = [value for arg, value in zip(method.outputs, values, strict=True) if arg.signature == "h"]
    if fds:  # what stands in the body is which of the descriptors it is
        arguments = zip(method.outputs, values, strict=True)
        values = tuple(fds.index(value) if arg.signature == "h" else value for arg, value in arguments)
    return answer_to(call, RETURN, method.out_signature, values, fds=tuple(fds))


def error_reply(call: Incoming, error: Exception) -> Outgoing:
    """Return the error message that answers `call`."""
    name, text = to_dbus(error)
    if name == INTERNAL:
        _log.error("%s.%s failed", call.interface, call.member, exc_info=error)
    return answer_to(call, ERROR_MESSAGE, "s", (text,), {ERROR_NAME: name})
