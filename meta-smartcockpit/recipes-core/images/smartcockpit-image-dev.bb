# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SmartCockpit, image for the workbench"
DESCRIPTION = "Never for a car: root without a password, SSH, a writable root and CAN tools."

require smartcockpit-image.inc

# nooelint: oelint.var.badimagefeature
IMAGE_FEATURES += "allow-empty-password allow-root-login empty-root-password post-install-logging ssh-server-openssh"
IMAGE_INSTALL += "can-utils"
