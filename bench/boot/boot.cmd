# SPDX-License-Identifier: Apache-2.0
# Chooses slot A or B by attempt counters and starts its kernel. One script for the box and all boards; a
# board-*.cmd in front of it sets sc_disk, the sc_*_addr addresses, sc_console and sc_start.
#
# State: uboot.env on the boot partition, in the format of fw_printenv (CRC-32, then NAME=value\0 …):
#   BOOT_ORDER      slots, preferred first ("A B"); RAUC writes it: an installed slot to the front, a bad one out
#   BOOT_A_LEFT, BOOT_B_LEFT   attempts left, one hexadecimal digit; each boot spends one here. A fresh slot gets 3
#                   from RAUC, a slot that is marked good f: a healthy unit survives 15 power cuts in a row.
# A slot is tried while it has attempts and a kernel, and the one that is started becomes the preferred one: what
# has been given up is not tried again by accident. When none qualifies, every counter is set to 3 and the order
# is tried once more, then "A B": a cockpit never stops in its boot loader. A broken uboot.env counts as a new one.
# A slot that starts with 3 attempts or fewer is on trial; the kernel line says so (smartcockpit.trial).
# No arithmetic: `setexpr` is not in every build of U-Boot, so the digit below is looked up.
# All that changes lies in the first 512 bytes of uboot.env: a power cut leaves the old or the new state.
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
for sc_round in first again last; do
  for sc_try in ${BOOT_ORDER}; do
    setenv sc_part
    if test "${sc_try}" = "A"; then
      setenv sc_part 2
      setenv sc_left ${BOOT_A_LEFT}
    fi
    if test "${sc_try}" = "B"; then
      setenv sc_part 3
      setenv sc_left ${BOOT_B_LEFT}
    fi
    if test -z "${sc_slot}" -a -n "${sc_part}"; then
      if test -e ${sc_disk}:${sc_part} /boot/vmlinuz; then
        setenv sc_below
        for sc_digit in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
          if test "${sc_left}" = "${sc_digit}" -a -n "${sc_below}"; then
            setenv sc_slot ${sc_try}
            setenv sc_had ${sc_left}
            setenv sc_has ${sc_below}
          fi
          setenv sc_below ${sc_digit}
        done
      fi
    fi
  done
  if test -z "${sc_slot}" -a "${sc_round}" != "last"; then
    echo "smartcockpit: no slot has attempts left; all counters are set to 3"
    setenv BOOT_A_LEFT 3
    setenv BOOT_B_LEFT 3
    test "${sc_round}" = "first" || setenv BOOT_ORDER "A B"
  fi
done

if test -z "${sc_slot}"; then
  echo "smartcockpit: neither slot holds a kernel"
  sleep 5
  reset
fi

if test "${sc_slot}" = "A"; then
  setenv BOOT_A_LEFT ${sc_has}
  setenv sc_part 2
  setenv sc_label rootfs-a
  test "${BOOT_ORDER}" != "B A" || setenv BOOT_ORDER "A B"
else
  setenv BOOT_B_LEFT ${sc_has}
  setenv sc_part 3
  setenv sc_label rootfs-b
  test "${BOOT_ORDER}" != "A B" || setenv BOOT_ORDER "B A"
fi
setenv sc_trial
if test "${sc_had}" = "1" -o "${sc_had}" = "2" -o "${sc_had}" = "3"; then
  setenv sc_trial smartcockpit.trial
fi
echo "smartcockpit: slot ${sc_slot}, order ${BOOT_ORDER}, left A ${BOOT_A_LEFT} B ${BOOT_B_LEFT} ${sc_trial}"
env export -c -s 0x4000 ${sc_env_addr} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
fatwrite ${sc_disk}:1 ${sc_env_addr} uboot.env 0x4000

setenv bootargs "root=PARTLABEL=${sc_label} ro rootfstype=ext4 rauc.slot=${sc_slot} ${sc_trial} ${sc_console} ${sc_bootargs}"
if load ${sc_disk}:${sc_part} ${sc_kernel_addr} /boot/vmlinuz; then
  if load ${sc_disk}:${sc_part} ${sc_initrd_addr} /boot/initrd.img; then
    setenv sc_initrd_size ${filesize}
    run sc_start
  fi
fi
echo "smartcockpit: slot ${sc_slot} does not start"
reset
