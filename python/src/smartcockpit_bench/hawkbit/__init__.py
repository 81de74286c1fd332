# SPDX-License-Identifier: Apache-2.0
"""A simulated hawkBit: its device API (DDI v1) over real TLS, with a switch for every fault."""
