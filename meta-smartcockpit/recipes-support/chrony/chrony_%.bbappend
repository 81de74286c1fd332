# SPDX-License-Identifier: Apache-2.0
# Time from the network where there is one, and from the GNSS receiver: boards have no clock of their own.
# It gives up its rights, and may make few system calls.
PACKAGECONFIG:append:smartcockpit-distro = " privdrop scfilter"

# nooelint: oelint.func.specific
do_install:append:smartcockpit-distro() {
    # The receiver as a reference clock, by the files that `make install` brings.
    install -d ${D}${sysconfdir}/chrony/conf.d ${D}${systemd_system_unitdir}/chronyd.service.d
    ln -s ${datadir}/smartcockpit/chrony/smartcockpit-gnss.conf ${D}${sysconfdir}/chrony/conf.d/smartcockpit-gnss.conf
    ln -s ${datadir}/smartcockpit/chrony/10-smartcockpit-gnss.service.conf \
        ${D}${systemd_system_unitdir}/chronyd.service.d/10-smartcockpit-gnss.conf
    # Nobody asks a cockpit for the time, and chronyc speaks by its own socket.
    printf 'port 0\ncmdport 0\n' > ${D}${sysconfdir}/chrony/conf.d/no-listeners.conf
}

FILES:${PN}:append:smartcockpit-distro = " ${systemd_system_unitdir}/chronyd.service.d"
