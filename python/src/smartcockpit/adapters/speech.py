# SPDX-License-Identifier: Apache-2.0
"""Text to speech: flite or espeak-ng, of the system, write a WAV file as a child with a time limit.

The text is somebody else's: it goes to the program as a file, never through a shell or its arguments.
"""

from __future__ import annotations

import asyncio
import os
import unicodedata
from pathlib import Path

from smartcockpit.adapters.wav_file import Sound, read_wav
from smartcockpit.core.errors import LimitError, UnavailableError, UsageError
from smartcockpit.core.named import NamedTuple

MAX_CHARACTERS = 500
TIMEOUT_S = 15.0


class Speech(NamedTuple):
    """An engine with a voice; `folder` is where it may write."""

    engine: str
    voice: str
    folder: Path

    async def say(self, text: str) -> Sound:
        """Return `text` spoken.

        Raises `UsageError`, `LimitError` for a text that cannot be spoken, `UnavailableError` when the engine
        is missing, fails or takes longer than `TIMEOUT_S`.
        """
        import shutil

        cleaned = speakable(text)
        program = shutil.which(self.engine)
        if program is None:
            raise UnavailableError(
                f"the speech program {self.engine!r} is not installed", "see `speech` in audio.toml"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        said, spoken = self.folder / f"say-{id(cleaned):x}.txt", self.folder / f"say-{id(cleaned):x}.wav"
        try:
            said.write_text(cleaned + "\n", "utf-8")
            await _run([program, *self._arguments(said, spoken)])
            return read_wav(str(spoken))
        except OSError as error:
            raise UnavailableError(f"cannot speak: {error}") from error
        except UsageError as error:
            raise UnavailableError(f"{self.engine} said nothing: {error.message}") from error
        finally:
            said.unlink(missing_ok=True)
            spoken.unlink(missing_ok=True)

    def _arguments(self, said: Path, spoken: Path) -> list[str]:
        if self.engine == "espeak-ng":
            return [*(["-v", self.voice] if self.voice else []), "-f", str(said), "-w", str(spoken)]
        return [*(["-voice", self.voice] if self.voice else []), "-f", str(said), "-o", str(spoken)]


def speakable(text: str) -> str:
    """Return `text` on one line without what is no character of a language.

    Raises `UsageError` when nothing is left, `LimitError` when it is too long.
    """
    if len(text) > MAX_CHARACTERS:
        raise LimitError(f"a text of {len(text)} characters", f"at most {MAX_CHARACTERS}")
    kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in text)
    cleaned = " ".join(kept.split())
    if not any(c.isalnum() for c in cleaned):
        raise UsageError("there is nothing to say in this text")
    return cleaned


async def _run(command: list[str]) -> None:
    child = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(TIMEOUT_S):
            code = await child.wait()
    except TimeoutError:
        raise UnavailableError(f"{command[0]} took longer than {TIMEOUT_S:g} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    if code:
        raise UnavailableError(f"{command[0]} ended with {code}")
