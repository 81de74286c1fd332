# SPDX-License-Identifier: Apache-2.0
"""Chimes as WAV files: written when the system is installed, read by the daemon.

    python -m smartcockpit.adapters.chime_files FOLDER

A file that is missing or broken never means silence: the chime is then made on the spot.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from smartcockpit.adapters.pulse_tags import S16LE, SampleSpec
from smartcockpit.adapters.wav_file import Sound, read_wav, write_wav
from smartcockpit.core import chimes
from smartcockpit.core.errors import SmartCockpitError, UsageError

_log = logging.getLogger(__name__)
SPEC = SampleSpec(S16LE, 1, chimes.RATE_HZ)
"""What all chimes sound in, so that one voice serves them all."""
LONGEST_S = 10.0


def made(name: str) -> Sound:
    """Return the chime `name` as the recipe says."""
    return Sound(SPEC, chimes.samples(chimes.CHIMES[name]))


def load(name: str, folders: Sequence[Path]) -> Sound:
    """Return the chime `name` from the first of `folders` that has it, else from the recipe."""
    for folder in folders:
        path = folder / f"{name}.wav"
        if not path.exists():
            continue
        try:
            sound = read_wav(str(path))
            if sound.spec != SPEC or not 0 < sound.length_s <= LONGEST_S:
                raise UsageError(
                    f"{path} has the wrong format", f"mono, 16 bit, {SPEC.rate_hz} Hz, up to 10 s"
                )
        except SmartCockpitError as error:
            _log.warning("chime %s: %s", name, error)
        else:
            return sound
    return made(name)


def main(arguments: list[str]) -> int:
    """Write all chimes into the folder that is the only argument."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python3 -m smartcockpit.adapters.chime_files FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name in chimes.CHIMES:
        (folder / f"{name}.wav").write_bytes(write_wav(made(name)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
