# SPDX-License-Identifier: Apache-2.0
"""USB devices that live on the host and are plugged into the box: QEMU's `usb-redir` speaks to them by a
socket."""
