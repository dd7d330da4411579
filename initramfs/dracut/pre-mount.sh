#!/bin/sh
# dracut, before root is mounted, sourced: proves every disk's flush, and hands root's mount options
# on if they must change. With systemd they are a drop-in, else dracut mounts with $rflags itself.
if [ -n "$DRACUT_SYSTEMD" ]; then
    /usr/lib/xvdguard/sysroot-options
else
    xvdguard_options=$(/usr/lib/xvdguard/root-options dracut)
    [ -z "$xvdguard_options" ] || rflags="${rflags:+$rflags,}$xvdguard_options"
    unset xvdguard_options
fi
