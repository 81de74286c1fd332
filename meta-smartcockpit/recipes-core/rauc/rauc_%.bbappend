# SPDX-License-Identifier: Apache-2.0
# RAUC's own policy lets every local user install; ours is in systemd/dbus-1/system.d, under the same name.
# nooelint: oelint.func.specific
do_install:append:smartcockpit-distro() {
    rm ${D}${datadir}/dbus-1/system.d/de.pengutronix.rauc.conf
}

# The health gate marks a slot good when it has proved itself, not whoever reaches the end of the boot.
RRECOMMENDS:${PN}:remove:smartcockpit-distro = "${PN}-mark-good"
