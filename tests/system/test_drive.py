# SPDX-License-Identifier: Apache-2.0
"""The end of a drive, as people in the car have it: music, a prompt, a tunnel, parking backwards, ignition off.

One simulated car moves CAN, satellites and ignition; what it is to the people is read from outside: what the sound
card plays, which lines the box switches, what `cockpitctl` says, and that the machine goes off by itself.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from smartcockpit_bench.qemu.box import Box
from smartcockpit_bench.usb import feed as usb
from support import box_sound
from support.car_drive import Drive, positions, sh, under_way, watch_positions
from support.levels import Recording

from .conftest import BOOT_S, image

START_S, TUNNEL_ENDS_S, REVERSE_S, PARKED_S, KEY_OUT_S, END_S = 88.0, 172.0, 206.0, 219.6, 226.0, 239.0
"""Of the demo drive."""
PATIENCE_S = 60.0
LINGER_S = 8.0
SETTINGS = f"[timing]\nwake_s = 0.0\nlinger_s = {LINGER_S}\n"
SPEED, BRAKE = "Vehicle.Speed", "Vehicle.Chassis.ParkingBrake.IsEngaged"
REVERSE = "Vehicle.SmartCockpit.IsReverseGearEngaged"
CLIPS = 32_700


class Seat:
    """Where one sits: asks the cockpit, looks at its lines."""

    def __init__(self, box: Box, loom: usb.Loom) -> None:
        self.box, self.loom = box, loom

    async def value(self, path: str) -> Any:
        """Return a signal's value, None unless it is valid."""
        said = await sh(self.box, f"cockpitctl signals get --json {path}")
        row = json.loads(said)[0] if said.startswith("[") else {"quality": said}
        return row["value"] if row["quality"] == "valid" else None

    async def becomes(self, path: str, value: Any) -> None:
        last: Any = None
        try:
            async with asyncio.timeout(PATIENCE_S):
                while (last := await self.value(path)) != value:
                    await asyncio.sleep(0.2)
        except TimeoutError:
            pytest.fail(f"{path} is {last}")

    async def power_is(self, state: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        try:
            async with asyncio.timeout(PATIENCE_S):
                while found.get("state") != state:
                    said = await sh(self.box, "cockpitctl power --json")
                    found = json.loads(said) if said.startswith("{") else {"answer": said}
        except TimeoutError:
            pytest.fail(f"power is {found}")
        return found


async def test_a_drive_from_music_to_the_power_off() -> None:
    image("dev")
    drive, loom = Drive.demo(START_S, END_S), usb.Loom()
    with Box() as box:
        ignition = asyncio.create_task(usb.feed(box.gpio_socket, drive.source.car, loom))
        seat = Seat(box, loom)
        await get_in(seat)
        async with under_way(box, drive):
            await watch_positions(box)
            await listen(seat)
            await pass_the_tunnel(seat, drive)
            await park(seat, drive)
            await leave(seat, drive)
        ignition.cancel()
        await asyncio.gather(ignition, return_exceptions=True)


async def get_in(seat: Seat) -> None:
    """The box boots with the ignition on and plays; the tester's settings make it linger for seconds."""
    agent = seat.box.agent
    await asyncio.to_thread(agent.wait, BOOT_S)
    await asyncio.to_thread(
        agent.run, "systemctl", "is-system-running", "--wait", timeout_s=BOOT_S, check=False
    )
    drop_in = "/etc/smartcockpit/power.d/60-test.toml"
    await sh(seat.box, f"mkdir -p /etc/smartcockpit/power.d; printf '{SETTINGS}' > {drop_in}")
    await sh(seat.box, "systemctl restart smartcockpit-power")
    assert (await seat.power_is("running"))["ignition"] == "on"
    await asyncio.to_thread(box_sound.make_ready, seat.box)
    await asyncio.to_thread(box_sound.play_music, seat.box)


async def listen(seat: Seat) -> None:
    """A prompt over the music, which goes on after it; how far it falls is measured in test_sound.py."""
    start_s = Recording.of_wav(seat.box.sound).length_s
    await asyncio.to_thread(box_sound.audio, seat.box, "prompt", f"{box_sound.FOLDER}/prompt.wav", "--wait")
    await hear(seat, box_sound.MUSIC_HZ, "music after the prompt")
    heard = box_sound.since(seat.box, start_s)
    assert max(heard.tones(box_sound.PROMPT_HZ, 0.1)) > -20, "the prompt"
    assert heard.peak < CLIPS, "it clips"


async def hear(seat: Seat, tone_hz: float, what: str) -> None:
    """Wait until a tone has been there for most of the last second."""
    await asyncio.to_thread(
        box_sound.until,
        lambda: box_sound.last(seat.box, 1.0).tone_db(tone_hz) > -15,
        what,
        seat.box,
    )


async def pass_the_tunnel(seat: Seat, drive: Drive) -> None:
    """On the motorway without satellites, and out again: one track, whose claims hold."""
    assert drive.time_s < TUNNEL_ENDS_S - 12, "too slow to see most of the tunnel"
    speed_kmh = await seat.value(SPEED)
    assert abs(speed_kmh - drive.source.car.state.motion.speed_kmh) < 25, "the car's own speed"
    await drive.until(TUNNEL_ENDS_S + 8)
    estimated, errors = False, {False: [], True: []}
    for moment in await positions(seat.box):
        estimated = moment.get("IsEstimated", estimated)
        errors[estimated].append((drive.error_m(moment), moment["HorizontalAccuracy"]))
    assert len(errors[True]) > 60
    assert not estimated, "satellites are back"
    assert max(error for error, _ in errors[True]) < 50, errors[True]
    assert all(error <= claimed for error, claimed in errors[True]), errors[True]


async def park(seat: Seat, drive: Drive) -> None:
    """Backwards into the gap; the reversing lamps' line says so, the brake is on in the end."""
    await drive.until(REVERSE_S)
    await seat.becomes(REVERSE, value=True)
    await drive.until(PARKED_S)
    await seat.becomes(REVERSE, value=False)
    await seat.becomes(BRAKE, value=True)
    await seat.becomes(SPEED, value=0.0)


async def leave(seat: Seat, drive: Drive) -> None:
    """The key is out: it lingers, with sound, then silences the amplifier and goes off, without an error."""
    ours = " ".join(
        f"-u smartcockpit-{name}" for name in ("canbridge", "gnss", "audio", "power", "player", "ota")
    )
    complaints = await sh(seat.box, f"journalctl -b --no-pager -q -p err -o cat {ours}")
    await drive.until(KEY_OUT_S)
    assert (await seat.power_is("accessory"))["ignition"] == "off"
    assert seat.loom.is_on("amplifier")
    assert box_sound.last(seat.box, 3.0).tone_db(box_sound.MUSIC_HZ) > -25, "music goes on while it lingers"
    async with asyncio.timeout(PATIENCE_S):
        while seat.loom.is_on("amplifier"):
            await asyncio.sleep(0.05)
    assert await asyncio.to_thread(seat.box.wait, 120.0), "the box is still on"
    assert complaints.strip() == ""
