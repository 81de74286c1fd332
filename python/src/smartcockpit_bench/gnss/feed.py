# SPDX-License-Identifier: Apache-2.0
"""The receiver's cable: real time, over the socket of the box's serial port.

Nobody waits for a guest that does not read: what does not fit is lost, as on a line without flow control.
"""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

from smartcockpit_bench.car.model import Car
from smartcockpit_bench.gnss.receiver import SimulatedReceiver

TICK_S = 0.01
RETRY_S = 0.2
SOCKET_BUFFER = 4096
HIGH_WATER = 2048


async def feed(path: Path, car: Car, receiver: SimulatedReceiver | None = None) -> None:
    """Play `receiver` (default: an ordinary one) in `car` on the socket at `path` until cancelled."""
    receiver = receiver or SimulatedReceiver()
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=4096)
        except OSError:
            await asyncio.sleep(RETRY_S)
            continue
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
        listening = asyncio.create_task(_listen(reader, writer, receiver))
        try:
            await _speak(writer, car, receiver, listening)
        except OSError:
            pass
        finally:
            listening.cancel()
            writer.transport.abort()
            await asyncio.gather(listening, writer.wait_closed(), return_exceptions=True)
        await asyncio.sleep(RETRY_S)


async def _speak(
    writer: asyncio.StreamWriter, car: Car, receiver: SimulatedReceiver, listening: asyncio.Task[None]
) -> None:
    last = 0
    while not listening.done() and not writer.is_closing():
        utc_s = time.time()
        epoch = int(utc_s / receiver.period_s)
        if epoch != last:
            last = epoch
            data = receiver.epoch(car.state, epoch * receiver.period_s)
            if writer.transport.get_write_buffer_size() <= HIGH_WATER:
                writer.write(data)
        await asyncio.sleep(TICK_S)


async def _listen(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, receiver: SimulatedReceiver
) -> None:
    while data := await reader.read(1024):
        writer.write(receiver.take(data))
