# SPDX-License-Identifier: Apache-2.0
"""USB devices that live on the host and are plugged into the box by QEMU's `usb-redir` and a socket."""
