//! The hook of mkinitcpio, with what its init has when it calls it (mkinitcpio 39: `init`,
//! `init_functions`).

use crate::setup::{EARLY, Image, NEEDS};

const HOOK: &str = include_str!("../../initramfs/mkinitcpio/hook");

/// init's function plays a disk that comes late.
const SCRIPT: &str = r#"
resolve_device() { echo "$1 $2" >>/run/waited; echo "$1"; echo ":: ERROR" >&2; }
set -u; . /hooks/xvdguard; run_hook || echo failed; echo "<$rootflags>"
"#;

/// `rootflags` after the hook, of which init makes `-o ro,$rootflags`.
fn rootflags(image: &Image, before: &str) -> String {
    rootflags_on(image, before, "/dev/xvda2")
}

fn rootflags_on(image: &Image, before: &str, root: &str) -> String {
    let script = SCRIPT;
    let environment = [("rootflags", before), ("root", root), ("rwopt", "ro"), ("rootdelay", "7")];
    let ran = image.run(&["/bin/sh", "-c", script], &environment);
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{ran:?}");
    ran.out()
}

#[test]
fn rootflags_gets_the_option_behind_its_own() {
    let Some(image) = Image::new("busybox") else { return };
    image.script("hooks/xvdguard", HOOK);
    image.script(EARLY, NEEDS);
    assert_eq!(rootflags(&image, ""), "<barrier=0>\n");
    assert_eq!(rootflags(&image, "noatime"), "<noatime,barrier=0>\n");
    for body in ["", "exit 1", "echo ro >$answer", "kill -9 $$"] {
        image.early(body);
        assert_eq!(rootflags(&image, "noatime"), "<noatime>\n", "{body}");
    }
}

#[test]
fn roots_device_is_waited_for_before_disks_are_looked_at() {
    let Some(image) = Image::new("busybox") else { return };
    image.script("hooks/xvdguard", HOOK);
    image.early("cp /run/waited /run/waited-before");
    rootflags(&image, "");
    let waited = std::fs::read_to_string(image.within("run/waited-before")).unwrap();
    assert_eq!(waited, "/dev/xvda2 7\n");
    for elsewhere in ["", "/dev/nfs"] {
        std::fs::remove_file(image.within("run/waited")).ok();
        rootflags_on(&image, "", elsewhere);
        assert!(!image.within("run/waited").exists(), "{elsewhere}");
    }
}
