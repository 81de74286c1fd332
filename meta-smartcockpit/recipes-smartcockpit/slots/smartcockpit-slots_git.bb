# SPDX-License-Identifier: Apache-2.0
SUMMARY = "Two root slots and one data partition"
DESCRIPTION = "What makes a root file system a slot: mounts, the data partition's birth, the machine id, access to the \
               boot loader's counters, RAUC's configuration and whom it trusts. The very files of the box."
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

PV = "${SMARTCOCKPIT_VERSION}"

# Of the box's own files those that a board has as well; the rest is about QEMU and Debian.
SLOT_FILES = "etc/fw_env.config \
              etc/rauc \
              etc/systemd/journald.conf.d \
              etc/systemd/system.conf.d \
              usr/lib/repart.d \
              usr/lib/systemd/system/boot-firmware.mount \
              usr/lib/systemd/system/box-machine-id.service \
              usr/lib/systemd/system/emergency.service.d \
              usr/lib/systemd/system/rauc.service.d \
              usr/lib/systemd/system/systemd-fsck@.service.d \
              usr/lib/systemd/system/systemd-repart.service.d \
              usr/share/smartcockpit/gnss.d"

# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${SMARTCOCKPIT_SOURCE}:"
SRC_URI = "file://LICENSE \
           ${@' '.join('file://bench/rootfs/common/' + path for path in d.getVar('SLOT_FILES').split())} \
           file://50-no-listeners.conf \
           file://60-keep-gaps.conf \
           file://smartcockpit-slots.conf"
S = "${UNPACKDIR}"

inherit systemd

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

# What RAUC compares: a bundle for another board is refused.
SMARTCOCKPIT_COMPATIBLE ?= "smartcockpit-${MACHINE}"
# The PEM file of the authority whose bundles are taken; from outside, see docs/how-to/flash.md.
SMARTCOCKPIT_KEYRING ?= ""

# Refused while parsing, with a hint, and not after hours.
# nooelint: oelint.task.noanonpython
python () {
    keyring = d.getVar("SMARTCOCKPIT_KEYRING")
    if not keyring:
        raise bb.parse.SkipRecipe("no update keys: SMARTCOCKPIT_KEYRING names the PEM file of the authority that signs "
            "your updates; how to make one: docs/how-to/flash.md")
    if not os.path.isabs(keyring) or not os.path.isfile(keyring):
        raise bb.parse.SkipRecipe("SMARTCOCKPIT_KEYRING = \"%s\": there is no such file. Hint: its whole path" % keyring)
    if "PRIVATE KEY" in open(keyring).read():
        raise bb.parse.SkipRecipe("%s holds a private key, which must not get into an image; name the certificate alone" %
            keyring)
    d.appendVar("SRC_URI", " file://%s;subdir=keyring" % keyring)
}

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    (cd ${S}/bench/rootfs/common && tar --no-same-owner -cf - ${SLOT_FILES}) | tar --no-same-owner -xf - -C ${D}
    find ${D} -type f -exec chmod 0644 {} +
    install -d ${D}/data ${D}/boot/firmware
    sed -i -e 's/^compatible=.*/compatible=${SMARTCOCKPIT_COMPATIBLE}/' \
        -e 's/^min-bundle-version=.*/min-bundle-version=${SMARTCOCKPIT_VERSION}/' \
        ${D}${sysconfdir}/rauc/system.conf
    install -m 0644 $(find ${UNPACKDIR}/keyring -type f) ${D}${sysconfdir}/rauc/keyring.pem
    # The name that boot.cmd asks for; the kernel's package calls it after its type.
    ln -s ${KERNEL_IMAGETYPE} ${D}/boot/vmlinuz
    install -D -m 0644 ${UNPACKDIR}/smartcockpit-slots.conf ${D}${nonarch_libdir}/tmpfiles.d/smartcockpit-slots.conf
    install -D -m 0644 ${UNPACKDIR}/50-no-listeners.conf \
        ${D}${nonarch_libdir}/systemd/resolved.conf.d/50-no-listeners.conf
    install -m 0644 ${UNPACKDIR}/60-keep-gaps.conf ${D}${systemd_system_unitdir}/systemd-repart.service.d/
}

FILES:${PN} += "/boot /data ${datadir}/smartcockpit ${nonarch_libdir}/repart.d ${nonarch_libdir}/tmpfiles.d \
                ${nonarch_libdir}/systemd/resolved.conf.d ${systemd_unitdir}"

# kernel-image: meta-raspberrypi expects the kernel on the boot partition and leaves it out of the root.
RDEPENDS:${PN} = "e2fsprogs-e2fsck \
                  e2fsprogs-mke2fs \
                  kernel-image \
                  libubootenv-bin \
                  rauc \
                  rauc-service"
# Instead of meta-rauc's example.
RPROVIDES:${PN} = "virtual-rauc-conf"

SYSTEMD_SERVICE:${PN} = "box-machine-id.service"
