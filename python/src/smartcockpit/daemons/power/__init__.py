# SPDX-License-Identifier: Apache-2.0
"""Ignition, lines and battery in; on, lingering or off out."""
