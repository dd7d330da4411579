//! What runs where the initramfs did not run `xvdguard-early`: root is mounted by then.

use std::fs;

use crate::setup::{EARLY, Image, NEEDS, SHELLS};

const SCRIPT: &str = "usr/lib/xvdguard/second-chance";
/// What `xvdguard check` knows it by.
const MARK: &str = "run/xvdguard/second-chance";
const MOUNTS: &str = "sysfs /sys sysfs rw,nosuid 0 0\n/dev/root / ext3 rw 0 0\n\
    /dev/xvda2 / ext3 ro,relatime 0 0\ntmpfs /run tmpfs rw 0 0\n";

fn image(shell: &str) -> Option<Image> {
    let image = Image::new(shell)?;
    image.script(SCRIPT, include_str!("../../packaging/second-chance"));
    image.script(EARLY, NEEDS);
    image.script("usr/sbin/xvdguard", "#!/bin/sh\necho \"$1 $2\" >$4\n");
    image.script("bin/mount", "#!/bin/sh\necho \"$*\" >>/run/mounted\n");
    image.script("proc/self/mounts", MOUNTS);
    Some(image)
}

/// What is mounted again.
fn mounted(image: &Image) -> String {
    let _ = fs::remove_file(image.within("run/mounted"));
    let ran = image.run(&["/usr/lib/xvdguard/second-chance"], &[]);
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{ran:?}");
    let freeze = fs::read_to_string(image.within("run/xvdguard/frozen.policy"));
    assert_eq!(freeze.unwrap(), "config freeze\n");
    fs::read_to_string(image.within("run/mounted")).unwrap_or_default()
}

#[test]
fn root_is_mounted_again_as_it_is_with_the_option_it_needs() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        let expected = "-n -o remount,ro,barrier=0 /dev/xvda2 /\n";
        assert_eq!(mounted(&image), expected, "{shell}");
        assert!(image.within(MARK).exists(), "{shell}");
        image.script("proc/self/mounts", "/dev/xvda1 / ext4 rw,errors=remount-ro 0 0\n");
        let expected = "-n -o remount,rw,barrier=0 /dev/xvda1 /\n";
        assert_eq!(mounted(&image), expected, "{shell}");
    }
}

#[test]
fn root_stays_as_it_is_where_nothing_is_needed_or_the_image_has_done_it() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        for body in ["", "exit 1", "echo ro >$answer", "kill -9 $$"] {
            image.early(body);
            assert_eq!(mounted(&image), "", "{shell}: {body}");
        }
        image.script(EARLY, NEEDS);
        fs::write(image.within("run/xvdguard/early.json"), "{}").unwrap();
        fs::remove_file(image.within(MARK)).unwrap();
        assert_eq!(mounted(&image), "", "{shell}");
        assert!(!image.within(MARK).exists(), "{shell}");
    }
}

#[test]
fn a_configuration_that_is_wrong_is_no_obstacle() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        image.script("usr/sbin/xvdguard", "#!/bin/sh\nexit 78\n");
        let ran = image.run(&["/usr/lib/xvdguard/second-chance"], &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(ran.err().contains("the default, holds for new disks"), "{}", ran.err());
        assert!(image.within("run/mounted").exists(), "{shell}");
    }
}
