# SPDX-License-Identifier: Apache-2.0
"""The checks of every cockpit, one a file, in the shape of `smartcockpit.health.check`."""
