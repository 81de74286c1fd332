# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SmartCockpit, release image"
DESCRIPTION = "What goes into a car: read-only root, no login, no SSH, no listening port."

require smartcockpit-image.inc

IMAGE_FEATURES += "read-only-rootfs"
