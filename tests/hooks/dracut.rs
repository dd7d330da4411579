//! The hook of dracut without systemd, sourced as its init does (dracut 059 and 106).

use crate::setup::{EARLY, Image, NEEDS, SHELLS};

fn image(shell: &str) -> Option<Image> {
    let image = Image::new(shell)?;
    image.script("hooks/pre-mount.sh", include_str!("../../initramfs/dracut/pre-mount.sh"));
    image.script(EARLY, NEEDS);
    Some(image)
}

/// What dracut's init mounts root with after the hook.
fn rflags(image: &Image, before: &str) -> String {
    let script = "set -u; . /hooks/pre-mount.sh; echo \"<$rflags> ${xvdguard_options-gone}\"";
    let environment = [("rflags", before), ("DRACUT_SYSTEMD", ""), ("NEWROOT", "/sysroot")];
    let ran = image.run(&["/bin/sh", "-c", script], &environment);
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{ran:?}");
    ran.out()
}

#[test]
fn without_systemd_rflags_gets_the_option_behind_its_own() {
    for shell in SHELLS {
        let Some(image) = image(shell) else { return };
        assert_eq!(rflags(&image, ""), "<barrier=0> gone\n", "{shell}");
        assert_eq!(rflags(&image, "noatime"), "<noatime,barrier=0> gone\n", "{shell}");
        for body in ["", "exit 1", "echo ro >$answer", "kill -9 $$"] {
            image.early(body);
            assert_eq!(rflags(&image, "noatime"), "<noatime> gone\n", "{shell}: {body}");
        }
    }
}
