//! The script of initramfs-tools, with the environment of a real boot (Debian 12, initramfs-tools
//! 0.142): what it leaves in param.conf is read by a shell right after it.

use std::fs;

use crate::setup::{EARLY, Image, NEEDS, ROOT_OPTIONS, SHELLS};

const PREMOUNT: &str = include_str!("../../initramfs/initramfs-tools/local-premount");
const SCRIPT: &str = "/scripts/local-premount/xvdguard";

/// What `init` of initramfs-tools exports.
const ENVIRONMENT: [(&str, &str); 14] = [
    ("BOOT", "local"),
    ("DPKG_ARCH", "amd64"),
    ("FSTYPE", "ext4"),
    ("MODPROBE_OPTIONS", "-qb"),
    ("ROOT", "/dev/mapper/vg0-root"),
    ("ROOTDELAY", ""),
    ("ROOTFSTYPE", ""),
    ("fastboot", "n"),
    ("forcefsck", "n"),
    ("init", "/sbin/init"),
    ("quiet", "y"),
    ("readonly", "y"),
    ("rootmnt", "/root"),
    ("starttime", "2"),
];

/// What `init` has in ROOTFLAGS once it has read param.conf, as ORDER makes it do.
fn rootflags(image: &Image, before: &str) -> String {
    let _ = fs::remove_file(image.within("conf/param.conf"));
    let script = format!(
        "{SCRIPT} || echo failed\n[ -e /conf/param.conf ] && . /conf/param.conf\n\
         printf '<%s>' \"$ROOTFLAGS\""
    );
    let environment = [&ENVIRONMENT[..], &[("ROOTFLAGS", before)]].concat();
    let ran = image.run(&["/bin/sh", "-c", &script], &environment);
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{ran:?}");
    ran.out()
}

fn image(shell: &str) -> Option<Image> {
    let image = Image::new(shell)?;
    image.script(SCRIPT.trim_start_matches('/'), PREMOUNT);
    Some(image)
}

#[test]
fn rootflags_keeps_what_it_had() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        image.script(EARLY, NEEDS);
        for (before, after) in [
            ("", "<-o barrier=0>"),
            ("-o noatime", "<-o noatime,barrier=0>"),
            ("-o noatime,data=journal", "<-o noatime,data=journal,barrier=0>"),
            ("-o a;reboot", "<-o a;reboot>"),
            ("-o context=\"x", "<-o context=\"x>"),
        ] {
            assert_eq!(rootflags(&image, before), after, "{shell}");
        }
    }
}

#[test]
fn rootflags_stays_where_nothing_is_needed_or_nothing_works() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        for body in ["", "exit 1", "kill -9 $$", "echo 'x\"' >$answer", "echo ro >$answer"] {
            image.early(body);
            assert_eq!(rootflags(&image, "-o noatime"), "<-o noatime>", "{shell}: {body}");
            assert!(!image.within("conf/param.conf").exists(), "{shell}: {body}");
        }
        fs::remove_file(image.within(ROOT_OPTIONS)).unwrap();
        assert_eq!(rootflags(&image, "-o noatime"), "<-o noatime>", "{shell}");
    }
}

#[test]
fn what_it_needs_before_it_is_nothing() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        let ran = image.run(&[SCRIPT, "prereqs"], &[]);
        assert_eq!((ran.code, ran.out().as_str(), ran.err().as_str()), (Some(0), "\n", ""));
    }
}

/// init calls local-premount before it waits for root's device (`scripts/local` of 0.142, which
/// `tests/packages/` runs for real).
#[test]
fn disks_are_looked_at_once_roots_device_is_there() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        image.script("scripts/functions", "wait_for_udev() { echo \"wait $*\" >>/run/waited; }\n");
        let setup = "local_device_setup() { wait_for_udev \"$@\"; $3 || exit 1; }\n";
        image.script("scripts/local", setup);
        image.early("cp /run/waited /run/waited-before; echo \"noatime,barrier=0\" >$answer");
        assert_eq!(rootflags(&image, "-o noatime"), "<-o noatime,barrier=0>", "{shell}");
        let waited = fs::read_to_string(image.within("run/waited-before")).unwrap();
        assert_eq!(waited, "wait /dev/mapper/vg0-root root file system false\n", "{shell}");
    }
}

#[test]
fn a_root_on_the_network_is_not_waited_for() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        image.script("scripts/functions", "");
        image.script("scripts/local", "local_device_setup() { echo \"$*\" >/run/waited; }\n");
        for environment in
            [[("BOOT", "nfs"), ("ROOT", "/dev/nfs")], [("BOOT", "local"), ("ROOT", "")]]
        {
            let ran = image.run(&[SCRIPT], &environment);
            assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{shell}");
            assert!(!image.within("run/waited").exists(), "{shell} {environment:?}");
        }
    }
}
