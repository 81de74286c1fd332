# SPDX-License-Identifier: Apache-2.0
FILESEXTRAPATHS:prepend:smartcockpit-distro := "${THISDIR}/../../../../recipes-bsp/u-boot/files:"
SRC_URI:append:smartcockpit-distro = " file://smartcockpit.cfg"
