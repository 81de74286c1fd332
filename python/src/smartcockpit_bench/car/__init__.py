# SPDX-License-Identifier: Apache-2.0
"""A simulated car: what it does (`model`), how it says so on CAN (`encode`), and what goes wrong (`faults`).

Pure in time: every part is stepped with a time that the caller passes in, so the same seed and the same
steps give the same frames. Sending them in real time is `smartcockpit_bench.simulate`'s business.
"""
