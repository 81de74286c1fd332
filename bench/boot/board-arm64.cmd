# SPDX-License-Identifier: Apache-2.0
# QEMU -M virt with U-Boot as firmware. Goes in front of boot.cmd; says where things are and how a kernel starts.
setenv sc_disk "virtio 0"
setenv sc_env_addr 0x41000000
setenv sc_kernel_addr 0x42000000
setenv sc_initrd_addr 0x48000000
setenv sc_console "console=ttyAMA0,115200"
setenv sc_start 'booti ${sc_kernel_addr} ${sc_initrd_addr}:${sc_initrd_size} ${fdtcontroladdr}'
