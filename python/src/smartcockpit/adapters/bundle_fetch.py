# SPDX-License-Identifier: Apache-2.0
"""Brings a bundle into the download folder: resumed where it was cut off, hashed while it is written.

Files of a bundle with SHA-256 H: `H.part` while it comes, `H.json` beside it (ETag; how much is certainly on
the disk, and in which boot), `H.raucb` when it is whole. After a mere restart of the agent the length of the
part counts; after a reboot only what had been synced, for the rest may be holes.
"""

from __future__ import annotations

import errno
import json
import os
import re
import time
from collections.abc import Callable
from hashlib import sha256
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any

from smartcockpit.adapters.https import Https, NetworkFault, pieces, within
from smartcockpit.core.named import NamedTuple

SYNC = 1 << 20
"""Bytes after which the disk is made to keep them: no more is fetched again after a power cut."""
PIECE = 64 * 1024
_RANGE = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+|\*)")
Report = Callable[[int, int], None]
"""Is told bytes at hand and bytes that came over the network."""


class Job(NamedTuple):
    """What to fetch, and within which limits."""

    url: str
    folder: str
    sha256: str
    size: int
    boot_id: str
    least_rate: float = 1024.0
    """Bytes/s over `window_s` below which an attempt is given up."""
    window_s: float = 60.0
    at_most: int = 0
    """Bytes that may come over the network; 0: as many as it takes."""


class Part:
    """The file that is being written, and its hash so far."""

    def __init__(self, job: Job) -> None:
        folder = Path(job.folder)
        self._job = job
        self._path, self._note = folder / f"{job.sha256}.part", folder / f"{job.sha256}.json"
        self.whole = folder / f"{job.sha256}.raucb"
        self.etag, synced, boot_id = self._read_note()
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        length = os.fstat(self._file).st_size
        self.have = min(length if boot_id == job.boot_id else min(length, synced), job.size)
        self._hash = sha256()
        self._synced = 0
        self._rehash()

    def _read_note(self) -> tuple[str, int, str]:
        try:
            note = json.loads(self._note.read_text())
            return str(note["etag"]), int(note["synced"]), str(note["boot_id"])
        except (OSError, ValueError, KeyError, TypeError):
            return "", 0, ""

    def _rehash(self) -> None:
        os.ftruncate(self._file, self.have)
        os.lseek(self._file, 0, os.SEEK_SET)
        left = self.have
        while left and (data := os.read(self._file, min(left, SYNC))):
            self._hash.update(data)
            left -= len(data)
        self.have -= left
        self._synced = self.have

    def restart(self) -> None:
        """Forget what is there."""
        self.have, self._hash = 0, sha256()
        self._rehash()

    def begin(self, etag: str) -> None:
        """Note whose bytes follow."""
        self.etag = etag
        self._write_note()

    def write(self, data: bytes) -> None:
        """Append."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._hash.update(data)
        self.have += len(data)
        if self.have - self._synced >= SYNC:
            self.sync()

    def sync(self) -> None:
        """Make the disk keep it, then say so."""
        os.fdatasync(self._file)
        self._synced = self.have
        self._write_note()

    def _write_note(self) -> None:
        fresh = self._note.with_suffix(".json.new")
        fresh.write_text(
            json.dumps({"etag": self.etag, "synced": self._synced, "boot_id": self._job.boot_id})
        )
        fresh.replace(self._note)

    def finish(self) -> None:
        """Give it its name if the checksum is right; raises `NetworkFault` and drops it if not."""
        if self._hash.hexdigest() != self._job.sha256:
            self._path.unlink()
            raise NetworkFault("checksum", "the bundle's SHA-256 is not what the server announced")
        os.fsync(self._file)
        self._path.replace(self.whole)
        self._note.unlink(missing_ok=True)
        folder = os.open(self._job.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def fetch(https: Https, job: Job, report: Report) -> None:
    """Fetch until whole; raises `NetworkFault`. What is there already is not fetched again."""
    try:
        part = Part(job)
        try:
            if not part.whole.exists():
                _fill(https, job, part, report)
            report(job.size, 0)
        finally:
            part.close()
            if part.whole.exists():
                Path(job.folder, f"{job.sha256}.part").unlink(missing_ok=True)
    except OSError as error:
        kind = "room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "storage"
        raise NetworkFault(kind, f"{job.folder}: {error.strerror}") from error


def _fill(https: Https, job: Job, part: Part, report: Report) -> None:
    if part.have < job.size:
        response, connection = _ask(https, job, part)
        try:
            if response.status == 416 and part.have:
                # The server has another file than that of which we hold the beginning.
                part.restart()
                connection.close()
                response, connection = _ask(https, job, part)
            _check_head(response, job, part)
            try:
                _copy(response, job, part, report)
            finally:
                part.sync()
        finally:
            connection.close()
    part.finish()


def _ask(https: Https, job: Job, part: Part) -> tuple[HTTPResponse, HTTPSConnection]:
    # hawkBit notes a download in the action for every request without Range: always send one.
    headers = {"Range": f"bytes={part.have}-"}
    if part.have and part.etag:
        headers["If-Range"] = part.etag
    with within(https.access.total_s):
        return https.open("GET", job.url, headers)


def _check_head(response: HTTPResponse, job: Job, part: Part) -> None:
    """Hold status and announced lengths against what must come."""
    if response.status == 200:
        part.restart()
    elif response.status == 206:
        found = _RANGE.fullmatch(response.getheader("Content-Range") or "")
        if not found or int(found[1]) != part.have or found[3] not in ("*", str(job.size)):
            raise NetworkFault("range", f"asked for byte {part.have} of {job.size}, got {found and found[0]}")
    else:
        raise NetworkFault("status", f"the download is answered with {response.status}")
    if response.length is not None and response.length != job.size - part.have:
        length, response.length = response.length, 0
        raise NetworkFault("length", f"{length} bytes are announced, {job.size - part.have} are missing")
    part.begin(response.getheader("ETag") or "")


def _copy(response: HTTPResponse, job: Job, part: Part, report: Report) -> None:
    began, came, fetched = time.monotonic(), 0, 0
    for piece in pieces(response, PIECE):
        if len(piece) > job.size - part.have:
            raise NetworkFault("length", "more bytes come than were announced")
        part.write(piece)
        came += len(piece)
        fetched += len(piece)
        report(part.have, len(piece))
        if job.at_most and fetched >= job.at_most and part.have < job.size:
            raise NetworkFault("metered", "the allowance of this link is used up")
        now = time.monotonic()
        if now - began >= job.window_s:
            if came < job.least_rate * (now - began):
                raise NetworkFault("slow", f"only {came / (now - began):.0f} bytes/s")
            began, came = now, 0
    if part.have < job.size:
        raise NetworkFault("cut", f"{job.size - part.have} bytes are missing")


def take_file(path: str, folder: str, report: Report) -> dict[str, Any]:
    """Copy a local bundle into `folder`; return its size and SHA-256. Raises `NetworkFault`."""
    try:
        with Path(path).open("rb") as source:
            if not (size := os.fstat(source.fileno()).st_size):
                raise NetworkFault("file", f"{path} is empty")
            target = Path(folder, "file.part")
            digest = sha256()
            with target.open("wb") as copy:
                while data := source.read(SYNC):
                    digest.update(data)
                    copy.write(data)
                    report(copy.tell() * 100 // max(size, copy.tell()), 0)
                copy.flush()
                os.fsync(copy.fileno())
                size = copy.tell()
            target.replace(Path(folder, f"{digest.hexdigest()}.raucb"))
    except OSError as error:
        kind = "room" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "file"
        raise NetworkFault(kind, f"{path}: {error.strerror}") from error
    return {"size": size, "sha256": digest.hexdigest()}
