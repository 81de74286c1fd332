# SPDX-License-Identifier: Apache-2.0
"""The sound server as we need it: its devices, its streams, their volumes.

What a volume ought to be is decided elsewhere. Field orders are those of pulsecore/protocol-native.c.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from smartcockpit.adapters.pulse_link import Command, PulseLink
from smartcockpit.adapters.pulse_tags import POSITIONS, SampleSpec, boolean, string, u32, volumes
from smartcockpit.core.named import NamedTuple

CLIENT = "smartcockpit-audio"
"""What we call ourselves."""
SUBSCRIBED = 0x0001 | 0x0004 | 0x0080
"""PA_SUBSCRIPTION_MASK: sinks, their inputs, the server (its default sink)."""
BEFORE_PORTS = 20
"""Values of a sink up to the number of its ports; each port has three more, then the active one follows."""
PER_STREAM = 17


class Device(NamedTuple):
    """A sink: a sound card, or what stands in for one."""

    number: int
    name: str
    description: str
    channels: tuple[str, ...]
    volumes: tuple[int, ...]
    muted: bool
    spec: SampleSpec


class Stream(NamedTuple):
    """A sink input: something that is played."""

    number: int
    name: str
    application: str
    role: str
    """`media.role`, "" when it says none."""
    channels: int
    volumes: tuple[int, ...]
    muted: bool
    corked: bool
    device: int
    """Index of the device that it is played on, `pulse_tags.NONE` for none."""


class PulseServer:
    """A connection, see `open`."""

    def __init__(self, link: PulseLink) -> None:
        self.link = link

    @classmethod
    async def open(
        cls, path: str, on_change: Callable[[], None], on_stream: Callable[[Command, list[Any]], None]
    ) -> PulseServer:
        """Connect and subscribe.

        `on_change` is called when devices or streams may be others, `on_stream` gets news of our own streams.
        Raises `UnavailableError`.
        """

        def event(command: Command, values: list[Any]) -> None:
            if command is Command.SUBSCRIBE_EVENT:
                on_change()
            else:
                on_stream(command, values)

        link = await PulseLink.open(path, event, CLIENT)
        server = cls(link)
        try:
            await link.call(Command.SUBSCRIBE, u32(SUBSCRIBED))
        except BaseException:
            link.close()
            raise
        return server

    async def devices(self) -> list[Device]:
        """Return all sinks."""
        return list(_devices(await self.link.call(Command.GET_SINK_INFO_LIST)))

    async def streams(self) -> list[Stream]:
        """Return everything that is played or waits to be."""
        return list(_streams(await self.link.call(Command.GET_SINK_INPUT_INFO_LIST)))

    async def default_device(self) -> str:
        """Return the name of the device that new streams go to, "" for none."""
        values = await self.link.call(Command.GET_SERVER_INFO)
        # Package, version, user, host, sample spec, default sink, …
        return str(values[5] or "") if len(values) > 5 else ""

    def set_default_device(self, name: str) -> None:
        """Send new streams to this device."""
        self.link.send(Command.SET_DEFAULT_SINK, string(name))

    def set_stream_volume(self, index: int, values: Sequence[int]) -> None:
        """Set the volume of a stream, one value per channel, 0 to 65536."""
        self.link.send(Command.SET_SINK_INPUT_VOLUME, u32(index), volumes(values))

    def unmute_stream(self, index: int) -> None:
        """Take a mute away that somebody else has set."""
        self.link.send(Command.SET_SINK_INPUT_MUTE, u32(index), boolean(False))

    def set_device_volume(self, index: int, values: Sequence[int]) -> None:
        """Set the volume of a device, one value per channel, and take its mute away."""
        self.link.send(Command.SET_SINK_VOLUME, u32(index), string(None), volumes(values))
        self.link.send(Command.SET_SINK_MUTE, u32(index), string(None), boolean(False))

    def close(self) -> None:
        """End the connection."""
        self.link.close()


def _devices(values: list[Any]) -> list[Device]:
    """Take a list of sinks apart; a reply that is none gives what could be read of it."""
    found: list[Device] = []
    at = 0
    while at + BEFORE_PORTS <= len(values):
        (number, name, description, spec, positions, _, volume, muted) = values[at : at + 8]
        properties, ports = values[at + 13], values[at + 19]
        if not (_are(dict, properties) and _are(tuple, positions, volume) and _are(int, number, ports)):
            break
        channels = tuple(POSITIONS[p] if p < len(POSITIONS) else f"aux{p}" for p in positions)
        found.append(Device(number, name or "", description or "", channels, volume, muted, spec))
        at += BEFORE_PORTS + 3 * ports + 1
    return found


def _streams(values: list[Any]) -> list[Stream]:
    """Take a list of sink inputs apart, in the same way."""
    found: list[Stream] = []
    for at in range(0, len(values) - PER_STREAM + 1, PER_STREAM):
        number, name, _, _, device, _, _, volume = values[at : at + 8]
        muted, properties, corked = values[at + 12 : at + 15]
        if not (_are(dict, properties) and _are(tuple, volume) and _are(int, number)):
            break
        application = properties.get("application.name", "")
        role = properties.get("media.role", "")
        found.append(
            Stream(number, name or "", application, role, len(volume), volume, muted, corked, device)
        )
    return found


def _are(kind: type, *values: Any) -> bool:
    return all(isinstance(value, kind) for value in values)
