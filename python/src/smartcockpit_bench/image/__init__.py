# SPDX-License-Identifier: Apache-2.0
"""Builds the box's disk image from Debian packages. What goes in is data in `bench/`; this is the how."""
