# SPDX-License-Identifier: Apache-2.0
# The fstab of a slot, the same as in the box.
FILESEXTRAPATHS:prepend:smartcockpit-distro := "${SMARTCOCKPIT_SOURCE}/bench/rootfs/common/etc:"
