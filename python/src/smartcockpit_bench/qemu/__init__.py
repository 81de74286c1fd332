# SPDX-License-Identifier: Apache-2.0
"""Runs the image in QEMU: the machine, whether KVM helps, the box as an object, ways into the guest."""
