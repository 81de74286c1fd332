# SPDX-License-Identifier: Apache-2.0
# NXP i.MX 8M Mini, evaluation kit. Goes in front of boot.cmd; says where things are and how a kernel starts. Memory begins
# at 0x40000000. The device tree is the slot's own.
setenv sc_disk "${devtype} ${devnum}"
setenv sc_env_addr 0x42000000
setenv sc_kernel_addr 0x44000000
setenv sc_initrd_addr 0x4a000000
setenv sc_fdt_addr 0x43000000
setenv sc_console "console=ttymxc1,115200"
setenv sc_start 'load ${sc_disk}:${sc_part} ${sc_fdt_addr} /boot/imx8mm-evk.dtb; booti ${sc_kernel_addr} ${sc_initrd_addr}:${sc_initrd_size} ${sc_fdt_addr}'
