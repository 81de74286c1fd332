# SPDX-License-Identifier: Apache-2.0
FILESEXTRAPATHS:prepend:smartcockpit-distro := "${THISDIR}/../../../../recipes-kernel/linux/files:"
SRC_URI:append:smartcockpit-distro = " file://can.cfg file://can-board.cfg file://system.cfg file://imx8m.cfg"
