# SPDX-License-Identifier: Apache-2.0
SUMMARY = "First process of SmartCockpit"
DESCRIPTION = "The initramfs' init, the same as in the box: mounts the slot that the boot loader chose, what the slot's \
               fstab lists, and the machine id of the first boot."
SECTION = "base"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

PV = "${SMARTCOCKPIT_VERSION}"

# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${SMARTCOCKPIT_SOURCE}:"
SRC_URI = "file://LICENSE file://bench/initramfs/init"
S = "${UNPACKDIR}"

inherit allarch

do_configure[noexec] = "1"
do_compile[noexec] = "1"

do_install() {
    install -D -m 0755 ${S}/bench/initramfs/init ${D}/init
    install -d ${D}/data ${D}/dev ${D}/modules ${D}/newroot ${D}/proc ${D}/run ${D}/sys
    # Nothing to load: what reaches the disk is built into our kernels.
    touch ${D}/modules/load
    # The kernel opens it for init before anything is mounted.
    mknod -m 0600 ${D}/dev/console c 5 1
}

FILES:${PN} += "/init /data /dev /modules /newroot /proc /run /sys"
# /init calls /bin/busybox by that name.
RDEPENDS:${PN} = "busybox"
# Mount points of an initramfs, and not of a system with packages.
# nooelint: oelint.vars.insaneskip
INSANE_SKIP:${PN} = "empty-dirs"
