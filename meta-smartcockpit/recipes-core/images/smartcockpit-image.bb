# SPDX-License-Identifier: Apache-2.0
SUMMARY = "SmartCockpit, release image"
DESCRIPTION = "What goes into a car: no login, no SSH, no listening port."

require smartcockpit-image.inc

SMARTCOCKPIT_FLAVOUR = "release"

# Without terminals to log in at; root has no password either.
ROOTFS_POSTPROCESS_COMMAND += "smartcockpit_no_login"

smartcockpit_no_login() {
    ln -sf /dev/null ${IMAGE_ROOTFS}${sysconfdir}/systemd/system/getty.target
    rm -rf ${IMAGE_ROOTFS}${sysconfdir}/systemd/system/getty.target.wants
}
