# SPDX-License-Identifier: Apache-2.0
"""The health gate: decides after a boot whether the slot has proved itself, and acts on it.

Not a daemon: `smartcockpit-health` runs to its end, at three moments (see `__main__`). It owns the verdict
and the marks of the booted slot; installing is the update daemon's, choosing a slot the boot loader's.
"""
