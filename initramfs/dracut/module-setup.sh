#!/bin/bash
# dracut, when an image is made: adds xvdguard-early, its udev rule and the policy.
#
# Never makes dracut fail: without the program the image is made without it.
# shellcheck disable=SC2154 # dracut's variables

check() {
    [[ -x $dracutsysrootdir/usr/lib/xvdguard/xvdguard-early ]] || return 1
    # An image that saves a crash must not wait for the disks of the kernel that crashed.
    [[ " $dracutmodules $add_dracutmodules $force_add_dracutmodules " == *kdump* ]] && return 255
    # 255: only where somebody asks for it by name.
    [[ $hostonly && ! -d /sys/bus/xen ]] && return 255
    return 0
}

depends() {
    return 0
}

installkernel() {
    hostonly='' instmods xen-blkfront
}

install() {
    inst_multiple ls mkdir rm sleep
    inst_simple /usr/lib/xvdguard/xvdguard-early
    inst_simple /usr/lib/xvdguard/within-limit
    inst_simple /usr/lib/xvdguard/root-options
    inst_simple /usr/lib/xvdguard/queue-limits
    inst_rules 60-xvdguard.rules
    if dracut_module_included systemd; then
        local unit=xvdguard-sysroot.service units=/usr/lib/systemd/system
        inst_simple /usr/lib/xvdguard/sysroot-options
        inst_simple /usr/lib/xvdguard/$unit $units/$unit
        mkdir -p "$initdir$units/initrd.target.wants"
        ln -sf ../$unit "$initdir$units/initrd.target.wants/$unit"
    else
        inst_hook pre-mount 20 "$moddir/pre-mount.sh"
    fi
    mkdir -p "$initdir/etc/xvdguard"
    "$dracutsysrootdir/usr/sbin/xvdguard" config freeze -o "$initdir/etc/xvdguard/frozen.policy" ||
        dwarn "xvdguard: the image carries no policy, so defaults hold at boot"
    return 0
}
