# SPDX-License-Identifier: Apache-2.0
"""The host's end of the box's view port: a unix socket that comes, goes and may say anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

RETRY_S = 0.2
MAX_LINE = 1 << 20


async def lines(path: Path | str) -> AsyncIterator[bytes]:
    """Yield lines for ever; connects again when QEMU closes the socket. A line over 1 MiB is cut out.

    The first line after a connect may be the rest of one that began earlier: the reader counts it as garbage.
    """
    while True:
        try:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=MAX_LINE)
        except OSError:
            await asyncio.sleep(RETRY_S)
            continue
        try:
            while True:
                try:
                    line = await reader.readuntil(b"\n")
                except asyncio.LimitOverrunError as error:
                    await reader.readexactly(error.consumed)
                    yield b"\x00"  # garbage, to be counted
                    continue
                yield line
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
        await asyncio.sleep(RETRY_S)
