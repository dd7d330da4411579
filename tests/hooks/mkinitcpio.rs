//! The hook of mkinitcpio, with what its init has when it calls it (mkinitcpio 39: `init`,
//! `init_functions`).

use crate::setup::{EARLY, Image, NEEDS};

const HOOK: &str = include_str!("../../initramfs/mkinitcpio/hook");

/// `rootflags` after the hook, of which init makes `-o ro,$rootflags`.
fn rootflags(image: &Image, before: &str) -> String {
    let script = "set -u; . /hooks/xvdguard; run_hook || echo failed; echo \"<$rootflags>\"";
    let environment = [("rootflags", before), ("root", "/dev/xvda2"), ("rwopt", "ro")];
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
