//! A program that does what it should: its answer reaches the hooks, and no other.

use crate::setup::{EARLY, Image, NEEDS, SHELLS};

#[test]
fn each_reader_gets_the_options_in_its_form() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.script(EARLY, NEEDS);
        for (words, expected) in [
            (&["initramfs"][..], "barrier=0\n"),
            (&["initramfs", ""], "barrier=0\n"),
            (&["initramfs", "noatime,data=ordered"], "noatime,data=ordered,barrier=0\n"),
            (&["dracut"], "barrier=0\n"),
            (&["plain", "noatime"], "barrier=0\n"),
        ] {
            assert_eq!(image.root_options(words), expected, "{shell} {words:?}");
        }
        image.early("");
        assert_eq!(image.root_options(&["initramfs", "noatime"]), "", "{shell}");
        assert_eq!(image.root_options(&["dracut"]), "", "{shell}");
    }
}

#[test]
fn the_program_is_told_what_root_has() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        let script = "#!/bin/sh\nfor word; do echo \"<$word>\"; done >/run/words\n";
        image.script(EARLY, script);
        let words = || std::fs::read_to_string(image.within("run/words")).unwrap();
        image.root_options(&["initramfs", "a b,$(c),'d"]);
        let file = "<-o>\n</run/xvdguard/root-options>\n";
        let head = |format, have| format!("<boot>\n<--format>\n<{format}>\n<--have>\n<{have}>\n");
        assert_eq!(words(), head("initramfs", "a b,$(c),'d") + file, "{shell}");
        image.root_options(&["dracut"]);
        assert_eq!(words(), head("dracut", "") + file, "{shell}");
    }
}

#[test]
fn a_kernel_that_saves_a_crash_is_left_alone() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.script(EARLY, NEEDS);
        image.script("proc/vmcore", "");
        assert_eq!(image.root_options(&["initramfs", "noatime"]), "", "{shell}");
        assert!(!image.within("run/xvdguard").exists(), "{shell}: not even looked for");
    }
}

/// A right answer all the same may not reach a shell: it is made of what the administrator wrote.
#[test]
fn options_that_a_shell_could_obey_stay_as_they_are() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.script(EARLY, NEEDS);
        assert_eq!(image.root_options(&["initramfs", "a,b"]), "a,b,barrier=0\n", "{shell}");
        for have in ["a;reboot", "$(reboot)", "`reboot`", "a b", "a\nb", "'a", "\"a", "ü", "a*"] {
            assert_eq!(image.root_options(&["initramfs", have]), "", "{shell} {have:?}");
        }
    }
}
