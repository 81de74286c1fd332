# SPDX-License-Identifier: Apache-2.0
SUMMARY = "initramfs of SmartCockpit"
DESCRIPTION = "busybox and one script; it lies in the slot as /boot/initrd.img, beside the kernel."
SECTION = "base"
LICENSE = "Apache-2.0"

inherit core-image

IMAGE_FSTYPES = "cpio.gz"
IMAGE_FEATURES = ""
IMAGE_LINGUAS = ""
IMAGE_NAME_SUFFIX = ""
PACKAGE_INSTALL = "smartcockpit-initramfs-init"
# No init system, no kernel, no users.
PACKAGE_EXCLUDE = "kernel-image-*"
IMAGE_ROOTFS_SIZE = "8192"
IMAGE_ROOTFS_EXTRA_SPACE = "0"
