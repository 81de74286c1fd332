# SPDX-License-Identifier: Apache-2.0
"""A simulated GNSS receiver in the simulated car: bytes like a u-blox M9's, faults on demand.

`receiver` is the receiver, `sky` what it sees, `nmea` and `ubx` how it says so, `feed` its cable to the box.
Written apart from what reads it in `smartcockpit.core.gnss`; tests hold both against foreign parsers.
"""
