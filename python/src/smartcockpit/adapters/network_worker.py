# SPDX-License-Identifier: Apache-2.0
"""The short-lived process that talks to the network for the update agent.

OpenSSL and http.client cost more memory than the whole agent, and a server that drips bytes can hang a thread
but not a process that is killed. Reads one JSON object a line from standard input, the first one the
`Access`, then requests; writes one line or more for each. Ends when its input does. Run as
`python -m smartcockpit.adapters.network_worker`; `smartcockpit.adapters.network` is the other end.
"""

from __future__ import annotations

import ctypes
import json
import signal
import sys
import time
from typing import Any

from smartcockpit.adapters import bundle_fetch
from smartcockpit.adapters.https import Access, Https, NetworkFault

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
REPORT_S = 0.2
"""Progress is reported at most that often."""


def main() -> int:
    """Serve requests until the input ends."""
    # Two of us must never write one file: whoever starts us takes us along when it is killed.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    lines = iter(sys.stdin.buffer.readline, b"")
    https: Https | None = None
    first = next(lines, b"")
    if not first:
        return 0  # killed before it could say anything
    access = Access(**json.loads(first))
    for line in lines:
        request = json.loads(line)
        try:
            if https is None and "copy" not in request:
                https = Https(access)
            answer = _serve(https, request)
        except NetworkFault as fault:
            answer = {"error": fault.kind, "text": str(fault)}
        except KeyboardInterrupt:
            break
        _say(answer)
    if https is not None:
        https.close()
    return 0


def _serve(https: Https | None, request: dict[str, Any]) -> dict[str, Any]:
    if "copy" in request:
        return bundle_fetch.take_file(request["copy"], request["folder"], _Reporter().tell)
    assert https is not None
    if "fetch" in request:
        reporter = _Reporter()
        try:
            bundle_fetch.fetch(https, bundle_fetch.Job(**request["fetch"]), reporter.tell)
        finally:
            reporter.say()
        return {"done": True}
    return https.exchange(request["method"], request["url"], request.get("body"))._asdict()


class _Reporter:
    def __init__(self) -> None:
        self._have = self._fetched = 0
        self._said_s = 0.0

    def tell(self, have: int, fetched: int) -> None:
        self._have = have
        self._fetched += fetched
        if time.monotonic() - self._said_s >= REPORT_S:
            self.say()

    def say(self) -> None:
        self._said_s = time.monotonic()
        _say({"have": self._have, "fetched": self._fetched})


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
