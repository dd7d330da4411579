#!/bin/bash
# dracut: the bed's own unit or hook, behind that of xvdguard.
# shellcheck disable=SC2154 # dracut's variables

check() {
    return 0
}

install() {
    local unit=bed-before-root.service units="$initdir/usr/lib/systemd/system"
    if ! dracut_module_included systemd; then
        inst_hook pre-mount 30 "$moddir/before-root.sh"
        return 0
    fi
    inst_simple "$moddir/before-root.sh" /usr/lib/bed/before-root.sh
    mkdir -p "$units/initrd.target.wants"
    cat >"$units/$unit" <<'UNIT'
[Unit]
DefaultDependencies=no
After=initrd-root-device.target xvdguard-sysroot.service
Before=systemd-fsck-root.service sysroot.mount

[Service]
Type=oneshot
# Else the target would start it again, when root is mounted.
RemainAfterExit=yes
ExecStart=/bin/sh /usr/lib/bed/before-root.sh
UNIT
    ln -s "../$unit" "$units/initrd.target.wants/$unit"
}
