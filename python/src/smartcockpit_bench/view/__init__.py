# SPDX-License-Identifier: Apache-2.0
"""The live view: what `cockpitctl live` says inside the box, on the host's terminal, as lines or as JSON.

`cockpit` understands the lines, `port` brings them, `show` decides how they are shown, the rest draws.
"""
