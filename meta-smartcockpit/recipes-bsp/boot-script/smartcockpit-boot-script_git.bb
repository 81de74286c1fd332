# SPDX-License-Identifier: Apache-2.0
SUMMARY = "boot.scr and uboot.env of SmartCockpit"
DESCRIPTION = "The boot script that chooses slot A or B, the same on every board and in the box, and the attempt \
               counters that a new disk starts with."
SECTION = "bootloaders"
LICENSE = "Apache-2.0"
LIC_FILES_CHKSUM = "file://LICENSE;md5=3b83ef96387f14655fc854ddc3c6bd57"

DEPENDS = "u-boot-mkenvimage-native u-boot-mkimage-native"
PROVIDES = "u-boot-default-script"

PV = "${SMARTCOCKPIT_VERSION}"

# nooelint: oelint.vars.fileextrapaths,oelint.vars.outofcontext
FILESEXTRAPATHS:prepend := "${SMARTCOCKPIT_SOURCE}:"
SRC_URI = "file://LICENSE file://bench/boot"
S = "${UNPACKDIR}"

inherit deploy kernel-arch nopackages

INHIBIT_DEFAULT_DEPS = "1"
PACKAGE_ARCH = "${MACHINE_ARCH}"

# Beyond what boot.cmd itself says. A kernel that dies resets, and the boot loader counts the attempt.
SMARTCOCKPIT_BOOTARGS ?= "quiet panic=5 systemd.show_status=auto"

# Refused while parsing, with a hint, and not after hours.
# nooelint: oelint.task.noanonpython
python () {
    board = d.getVar("SMARTCOCKPIT_BOARD")
    if not board:
        raise bb.parse.SkipRecipe("no boot script for MACHINE %s: write bench/boot/board-*.cmd and name it in "
            "SMARTCOCKPIT_BOARD (docs/how-to/new-board.md)" % d.getVar("MACHINE"))
}

do_configure[noexec] = "1"

do_compile() {
    {
        cat ${S}/bench/boot/board-${SMARTCOCKPIT_BOARD}.cmd
        echo 'setenv sc_bootargs "${SMARTCOCKPIT_BOOTARGS}"'
        cat ${S}/bench/boot/boot.cmd
    } > ${B}/boot.cmd
    mkimage -A ${UBOOT_ARCH} -T script -C none -n smartcockpit -d ${B}/boot.cmd ${B}/boot.scr
    # The size of boot.cmd and fw_env.config; filled with zeros, as there.
    grep -v '^#' ${S}/bench/boot/environment.txt > ${B}/environment.txt
    mkenvimage -s 0x4000 -p 0x00 -o ${B}/uboot.env ${B}/environment.txt
}

do_install[noexec] = "1"

do_deploy() {
    install -m 0644 ${B}/boot.scr ${B}/uboot.env ${DEPLOYDIR}
}
addtask deploy before do_build after do_compile
