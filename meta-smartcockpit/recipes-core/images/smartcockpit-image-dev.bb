# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SmartCockpit, image for the workbench"
DESCRIPTION = "Never for a car: root without a password, SSH and CAN tools."

require smartcockpit-image.inc

SMARTCOCKPIT_FLAVOUR = "dev"

# nooelint: oelint.var.badimagefeature
IMAGE_FEATURES += "allow-empty-password allow-root-login empty-root-password post-install-logging ssh-server-openssh"
IMAGE_INSTALL += "alsa-utils can-utils"
