//! What the udev rule gets to read: the lines of the program and no others, and always in time.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::broken::{ENDLESS, end};
use crate::setup::{EARLY, Image, SHELLS};

const RIGHT: &str = "echo XVDGUARD_SCHEDULER=mq-deadline; echo XVDGUARD_NR_REQUESTS=64";
const LIMITS: &str = "XVDGUARD_SCHEDULER=mq-deadline\nXVDGUARD_NR_REQUESTS=64\n";

/// Programs that end, each with what udev may read of what it says.
const ENDING: [(&str, &str, &str); 16] = [
    ("right", "$R", LIMITS),
    ("right, and much said to others", "yes | head -c 300000 >&2; $R", LIMITS),
    ("right, and a child lives on with all it inherited", "sleep 30 &\n$R", LIMITS),
    ("right, but it failed", "$R; exit 1", ""),
    ("right, but it crashed", "$R; kill -SEGV $$", ""),
    ("right, but killed", "$R; kill -9 $$", ""),
    ("nothing wanted", "", ""),
    ("fails", "exit 64", ""),
    ("a line that is not ours", "echo ID_FS_TYPE=swap; $R", LIMITS),
    ("a name without a value", "echo XVDGUARD_NOMERGES=; $R", LIMITS),
    ("a value without a name", "echo XVDGUARD_=1; $R", LIMITS),
    ("a quote", "echo \"XVDGUARD_NOMERGES='1\"; $R", LIMITS),
    ("a command", "echo 'XVDGUARD_NOMERGES=$(>/run/obeyed)'; $R", LIMITS),
    ("cut before the end of the line", "$R; printf XVDGUARD_NOMERGES=1", LIMITS),
    ("garbage", "head -c 900 /bin/busybox", ""),
    ("much", "yes XVDGUARD_NOMERGES=1 | head -c 8000000", ""),
];

#[test]
fn only_limits_reach_udev_and_only_of_a_program_that_ended_well() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.limit("60");
        for (name, text, expected) in ENDING {
            image.script(EARLY, &format!("#!/bin/sh\n{}\n", text.replace("$R", RIGHT)));
            assert_eq!(image.queue_limits().out(), expected, "{shell}: {name}");
            assert!(!image.within("run/obeyed").exists(), "{shell}: {name}");
        }
    }
}

#[test]
fn the_program_is_told_the_disk() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.script(EARLY, "#!/bin/sh\nfor word; do echo XVDGUARD_$#=$word; done\n");
        assert_eq!(image.queue_limits().out(), "XVDGUARD_2=queue\nXVDGUARD_2=xvda\n", "{shell}");
    }
}

/// It would stop the boot, since that waits for udev; and it may have said much.
#[test]
fn a_program_that_does_not_end_is_not_waited_for_and_takes_no_memory() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.limit("0.3");
        for (name, text) in ENDLESS {
            image.script(EARLY, &format!("#!/bin/sh\n{}\n", text.replace("$R", RIGHT)));
            let ran = image.queue_limits();
            end(&ran);
            assert_eq!(ran.out(), "", "{shell}: {name}");
            let answer = fs::metadata(image.within("run/xvdguard/queue-limits-xvda")).unwrap();
            // One write may still have been on its way.
            assert!(answer.blocks() <= 8, "{shell}: {name}: {answer:?}");
            image.reboot();
        }
    }
}

#[test]
fn without_a_program_there_are_no_limits() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        assert_eq!(image.queue_limits().out(), "", "{shell}");
        assert!(!image.within("run/xvdguard").exists(), "{shell}: nothing is made");
    }
}
