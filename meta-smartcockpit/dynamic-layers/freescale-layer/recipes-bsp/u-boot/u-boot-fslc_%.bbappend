# SPDX-License-Identifier: Apache-2.0
FILESEXTRAPATHS:prepend := "${THISDIR}/../../../../recipes-bsp/u-boot/files:"
SRC_URI:append:smartcockpit-distro = " file://smartcockpit.cfg"
