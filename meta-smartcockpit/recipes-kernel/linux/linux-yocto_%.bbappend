# SPDX-License-Identifier: Apache-2.0
# linux-yocto drives the QEMU machines only; its defaults know no CAN.
FILESEXTRAPATHS:prepend:smartcockpit-distro := "${THISDIR}/files:"
SRC_URI:append:smartcockpit-distro = " file://can.cfg file://can-qemu.cfg file://system.cfg"
