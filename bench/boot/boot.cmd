# SPDX-License-Identifier: Apache-2.0
# Chooses slot A or B by attempt counters and starts its kernel. One script for the box and all boards; a
# board-*.cmd in front of it sets sc_disk, the sc_*_addr addresses, sc_console and sc_start.
#
# State: uboot.env on the boot partition, in the format of fw_printenv (CRC-32, then NAME=value\0 …):
#   BOOT_ORDER      slots, preferred first ("A B"); RAUC writes it when a slot is installed
#   BOOT_A_LEFT, BOOT_B_LEFT   attempts left; one is spent here per boot, "mark good" sets it to 3 again
# A slot is tried while it has attempts and a kernel. When none qualifies, every counter is set to 3 and the
# order is tried once more: a cockpit never stops in its boot loader. A broken uboot.env counts as a new one.
# No arithmetic: `setexpr` is not in every build of U-Boot, so counters are taken down one by one.
# Partitions: 1 boot (FAT), 2 rootfs-a, 3 rootfs-b.

setenv BOOT_ORDER
setenv BOOT_A_LEFT
setenv BOOT_B_LEFT
if load ${sc_disk}:1 ${sc_env_addr} uboot.env; then
  env import -c ${sc_env_addr} 0x4000 BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fi
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3

setenv sc_slot
for sc_round in first again; do
  for sc_try in ${BOOT_ORDER}; do
    if test -z "${sc_slot}" -a "${sc_try}" = "A"; then
      if test -e ${sc_disk}:2 /boot/vmlinuz; then
        if test "${BOOT_A_LEFT}" = "3"; then
          setenv BOOT_A_LEFT 2; setenv sc_slot A
        elif test "${BOOT_A_LEFT}" = "2"; then
          setenv BOOT_A_LEFT 1; setenv sc_slot A
        elif test "${BOOT_A_LEFT}" = "1"; then
          setenv BOOT_A_LEFT 0; setenv sc_slot A
        fi
      fi
    fi
    if test -z "${sc_slot}" -a "${sc_try}" = "B"; then
      if test -e ${sc_disk}:3 /boot/vmlinuz; then
        if test "${BOOT_B_LEFT}" = "3"; then
          setenv BOOT_B_LEFT 2; setenv sc_slot B
        elif test "${BOOT_B_LEFT}" = "2"; then
          setenv BOOT_B_LEFT 1; setenv sc_slot B
        elif test "${BOOT_B_LEFT}" = "1"; then
          setenv BOOT_B_LEFT 0; setenv sc_slot B
        fi
      fi
    fi
  done
  if test -z "${sc_slot}" -a "${sc_round}" = "first"; then
    echo "smartcockpit: no slot has attempts left; all counters are set to 3"
    setenv BOOT_ORDER "A B"
    setenv BOOT_A_LEFT 3
    setenv BOOT_B_LEFT 3
  fi
done

if test -z "${sc_slot}"; then
  echo "smartcockpit: neither slot holds a kernel"
  sleep 5
  reset
fi

echo "smartcockpit: slot ${sc_slot}, order ${BOOT_ORDER}, left A ${BOOT_A_LEFT} B ${BOOT_B_LEFT}"
env export -c -s 0x4000 ${sc_env_addr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fatwrite ${sc_disk}:1 ${sc_env_addr} uboot.env 0x4000

setenv sc_part 2
setenv sc_label rootfs-a
if test "${sc_slot}" = "B"; then
  setenv sc_part 3
  setenv sc_label rootfs-b
fi
setenv bootargs "root=PARTLABEL=${sc_label} ro rootfstype=ext4 rauc.slot=${sc_slot} ${sc_console} ${sc_bootargs}"
if load ${sc_disk}:${sc_part} ${sc_kernel_addr} /boot/vmlinuz; then
  if load ${sc_disk}:${sc_part} ${sc_initrd_addr} /boot/initrd.img; then
    setenv sc_initrd_size ${filesize}
    run sc_start
  fi
fi
echo "smartcockpit: slot ${sc_slot} does not start"
reset
