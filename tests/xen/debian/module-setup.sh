#!/bin/bash
# dracut: the bed's own hook, behind that of xvdguard.

check() {
    return 0
}

install() {
    # shellcheck disable=SC2154 # dracut's
    inst_hook pre-mount 90 "$moddir/before-root.sh"
}
