# SPDX-License-Identifier: Apache-2.0
"""`make shell`: a root shell, by SSH, in the box that `make run` started (dev flavour)."""

from __future__ import annotations

import json
import os
import sys

from smartcockpit.core.errors import SmartCockpitError, UnavailableError

from smartcockpit_bench.places import BUILD
from smartcockpit_bench.qemu.box import RUNNING

KEY = BUILD / "ssh" / "id_ed25519"


def command(arguments: list[str]) -> list[str]:
    """Return the ssh command; raises UnavailableError when no box runs that lets anybody in."""
    try:
        running = json.loads(RUNNING.read_text())
        os.kill(running["pid"], 0)
    except (OSError, ValueError, KeyError):
        raise UnavailableError("no box is running", "start one with `make run` in another terminal") from None
    if not running["ssh_port"]:
        raise UnavailableError("the release flavour lets nobody in", "use `make run FLAVOUR=dev`")
    quiet = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    options = [word for option in quiet for word in ("-o", option)]
    return ["ssh", "-i", str(KEY), "-p", str(running["ssh_port"]), *options, "root@127.0.0.1", *arguments]


def main() -> int:
    """Become ssh."""
    try:
        words = command(sys.argv[1:])
        os.execvp(words[0], words)  # noqa: S606 - its exit code is ours
    except FileNotFoundError:
        print("make shell: ssh is not installed. Hint: run `make setup`", file=sys.stderr)
        return 69
    except SmartCockpitError as error:
        print(f"make shell: {error}", file=sys.stderr)
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main())
