# SPDX-License-Identifier: Apache-2.0
"""The host side: image builder, QEMU runner, car simulator, live view. Never installed on the target."""
