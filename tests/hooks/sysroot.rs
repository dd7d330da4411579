//! Images that systemd runs, of dracut and of mkinitcpio: what their unit starts, and the drop-in
//! that is made where systemd mounts root.

use std::fs;

use crate::setup::{EARLY, Image, NEEDS, SHELLS};

const UNIT: &str = include_str!("../../initramfs/xvdguard-sysroot.service");
const SYSROOT_OPTIONS: &str = "usr/lib/xvdguard/sysroot-options";
const DROP_IN: &str = "run/systemd/system/sysroot.mount.d/50-xvdguard.conf";

fn image(shell: &str) -> Option<Image> {
    let image = Image::new(shell)?;
    image.script(SYSROOT_OPTIONS, include_str!("../../initramfs/sysroot-options"));
    image.script(EARLY, NEEDS);
    Some(image)
}

/// The words of what the unit runs; a failure of it is none of the unit's.
fn started(key: &str) -> Vec<&'static str> {
    let line = UNIT.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix("=-"));
    line.unwrap().split(' ').collect()
}

/// Plays systemctl: it shows these options, and notes what else it is asked.
fn systemctl(image: &Image, options: &str) {
    let shows = format!("#!/bin/sh\n[ $1 != show ] || {{ echo 'Options={options}'; exit; }}\n");
    image.script("bin/systemctl", &(shows + "echo \"$*\" >>/run/asked\n"));
}

/// The drop-in after the hook, and what systemctl was asked.
fn drop_in(image: &Image) -> Option<String> {
    let _ = fs::remove_dir_all(image.within("run/systemd"));
    let _ = fs::remove_file(image.within("run/asked"));
    let ran = image.run(&started("ExecStart"), &[]);
    assert_eq!((ran.code, ran.out().as_str()), (Some(0), ""), "{ran:?}");
    let text = fs::read_to_string(image.within(DROP_IN)).ok();
    let asked = fs::read_to_string(image.within("run/asked")).unwrap_or_default();
    assert_eq!(asked, if text.is_some() { "daemon-reload\n" } else { "" });
    text
}

#[test]
fn with_systemd_a_drop_in_repeats_the_options_that_root_has() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        for (has, options) in [
            ("", "barrier=0"),
            ("ro", "ro,barrier=0"),
            ("ro,x-initrd.mount,data=ordered", "ro,x-initrd.mount,data=ordered,barrier=0"),
        ] {
            systemctl(&image, has);
            let expected = format!("[Mount]\nOptions={options}\n");
            assert_eq!(drop_in(&image), Some(expected), "{shell}: {has}");
        }
    }
}

#[test]
fn with_systemd_nothing_is_made_where_nothing_is_needed_or_safe() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        for has in ["a%b", "a\"b", "a b", "a\\x20"] {
            systemctl(&image, has);
            assert_eq!(drop_in(&image), None, "{shell}: {has}");
        }
        image.script("bin/systemctl", "#!/bin/sh\nexit 1\n");
        assert_eq!(drop_in(&image), None, "{shell}: systemd does not answer");
        systemctl(&image, "ro");
        for body in ["", "exit 1", "echo ro >$answer", "kill -9 $$"] {
            image.early(body);
            assert_eq!(drop_in(&image), None, "{shell}: {body}");
        }
    }
}

#[test]
fn nothing_of_it_goes_along_to_the_real_root() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        systemctl(&image, "ro");
        assert!(drop_in(&image).is_some(), "{shell}");
        for _ in ["made", "not made"] {
            let ran = image.run(&started("ExecStop"), &[]);
            assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""));
            assert!(!image.within(DROP_IN).exists(), "{shell}");
        }
    }
}
