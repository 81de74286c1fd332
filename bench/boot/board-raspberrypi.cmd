# SPDX-License-Identifier: Apache-2.0
# Raspberry Pi 4 and 5. Goes in front of boot.cmd; says where things are and how a kernel starts. U-Boot says from which
# disk it runs, and its addresses are those of all Pis (board/raspberrypi/rpi/rpi.env). The device tree at fdt_addr is the
# firmware's, with the overlays of config.txt, so it belongs to the boot partition and not to the slot.
setenv sc_disk "${devtype} ${devnum}"
setenv sc_env_addr ${pxefile_addr_r}
setenv sc_kernel_addr ${kernel_addr_r}
setenv sc_initrd_addr ${ramdisk_addr_r}
# ttyS0 is a Pi 4, ttyAMA10 a Pi 5; the kernel passes over the one that is not there. The firmware's own kernel line,
# which says how many 8250 ports there are, is replaced by ours.
setenv sc_console "8250.nr_uarts=1 console=ttyS0,115200 console=ttyAMA10,115200"
setenv sc_start 'booti ${sc_kernel_addr} ${sc_initrd_addr}:${sc_initrd_size} ${fdt_addr}'
