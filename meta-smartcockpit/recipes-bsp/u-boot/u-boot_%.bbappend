# SPDX-License-Identifier: Apache-2.0
FILESEXTRAPATHS:prepend:smartcockpit-distro := "${THISDIR}/files:"
SRC_URI:append:smartcockpit-distro = " file://smartcockpit.cfg"
