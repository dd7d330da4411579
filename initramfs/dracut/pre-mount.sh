#!/bin/sh
# dracut without systemd, before root is mounted, sourced: proves every disk's flush, and hands root's
# mount options on if they must change. dracut mounts with $rflags.
xvdguard_options=$(/usr/lib/xvdguard/root-options dracut)
[ -z "$xvdguard_options" ] || rflags="${rflags:+$rflags,}$xvdguard_options"
unset xvdguard_options
