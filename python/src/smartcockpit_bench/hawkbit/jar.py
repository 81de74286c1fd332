# SPDX-License-Identifier: Apache-2.0
"""Says where the hawkBit server's jar is, or how to get it: the first step of `make hawkbit-test`."""

from __future__ import annotations

import sys

from smartcockpit.core.errors import UnavailableError

from smartcockpit_bench.hawkbit.real import find_jar


def main() -> int:
    """Print the jar's path; return the exit code, 69 when it cannot be had."""
    try:
        print(f"hawkbit-test: {find_jar()}")
    except UnavailableError as error:
        print(f"hawkbit-test: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
