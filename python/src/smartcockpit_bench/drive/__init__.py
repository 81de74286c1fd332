# SPDX-License-Identifier: Apache-2.0
"""Replay of a recording: reading it (`log`), whose bus is whose (`channels`), when (`replay`)."""
