//! `xvdguard-early` replaced by something broken: the hook ends all the same, with 0, in time, and
//! hands nothing on but what it asked for.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use harness::deadline::seen;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::mount::Mounted;
use harness::programs::Ran;
use harness::{namespace, program, requires};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::setup::{EARLY, Image, SHELLS};

/// What root has, and the right answer to it.
const HAVE: &str = "noatime";
const RIGHT: &str = "echo noatime,barrier=0 >$answer";

/// Programs that end, each with whether it is believed.
const ENDING: [(&str, &str, bool); 31] = [
    ("right", RIGHT, true),
    ("cut before the end of the line", "printf noatime,barrier=0 >$answer", false),
    ("right, and a child lives on with all it inherited", "sleep 30 &\n$R", true),
    ("right, and much said", "yes | head -c 300000; yes | head -c 300000 >&2\n$R", true),
    ("right, but it failed", "$R\nexit 1", false),
    ("right, but it crashed", "$R\nkill -SEGV $$", false),
    ("right, but killed", "$R\nkill -9 $$", false),
    ("says nothing", "", false),
    ("fails", "exit 64", false),
    ("crashes", "kill -ABRT $$", false),
    ("says it to the wrong one", "echo noatime,barrier=0; echo barrier=0 >&2", false),
    ("root's options lost", "echo barrier=0 >$answer", false),
    ("another option", "echo noatime,barrier=0,ro >$answer", false),
    ("another option alone", "echo data=writeback >$answer", false),
    ("the wrong value", "echo noatime,barrier=1 >$answer", false),
    ("garbage", "head -c 200 /bin/busybox >$answer", false),
    ("zeros", "dd if=/bin/busybox bs=1 skip=8 count=8 >$answer", false),
    ("much garbage", "yes '$(>/run/obeyed)' | head -c 8000000 >$answer", false),
    ("cut inside a quote", "printf 'noatime,barrier=0\\nROOTFLAGS=\"-o ' >$answer", false),
    ("a quote", "echo \"noatime,barrier=0'\" >$answer", false),
    ("a command", "echo 'noatime,barrier=0;>/run/obeyed' >$answer", false),
    ("a command in the middle", "echo 'noatime,$(>/run/obeyed),barrier=0' >$answer", false),
    ("two lines", "printf 'noatime,barrier=0\\n>/run/obeyed\\n' >$answer", false),
    ("a folder in the file's place", "rm $answer; mkdir $answer", false),
    ("a pipe in the file's place", "rm $answer; mkfifo $answer", false),
    ("a device in the file's place", "rm $answer; mknod $answer c 1 5", false),
    ("a link to nowhere in the file's place", "rm $answer; ln -s /none $answer", false),
    ("no file", "rm $answer", false),
    ("no folder", "rm -r /run/xvdguard", false),
    ("a file that nobody may read", "$R\nchmod 0 $answer", true),
    ("many processes", "for i in 1 2 3 4 5 6 7 8 9; do sleep 30 & done; $R", true),
];

/// Programs that do not end, or whose end cannot be seen.
pub const ENDLESS: [(&str, &str); 8] = [
    ("hangs", "sleep 60"),
    ("hangs behind the right answer", "$R\nsleep 60"),
    ("hangs and is deaf", "trap '' TERM INT HUP ALRM PIPE; while :; do sleep 60; done"),
    ("turns in a circle", "while :; do :; done"),
    ("says without end", "while :; do echo y; echo n >&2; done"),
    ("stops itself", "kill -STOP $$; sleep 60"),
    ("ends who waits for it", "kill -9 $PPID; sleep 60"),
    ("stops who waits for it", "kill -STOP $PPID; $R"),
];

fn body(text: &str) -> String {
    text.replace("$R", RIGHT)
}

#[test]
fn a_program_that_ends_is_believed_only_where_it_is_right() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.limit("60");
        for (name, text, is_believed) in ENDING {
            image.early(&body(text));
            let expected = if is_believed { "noatime,barrier=0\n" } else { "" };
            assert_eq!(image.root_options(&["initramfs", HAVE]), expected, "{shell}: {name}");
            assert!(!image.within("run/obeyed").exists(), "{shell}: {name}");
            image.reboot();
        }
    }
}

#[test]
fn a_program_that_does_not_end_is_not_waited_for() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        // At once: before anything could be said about the program.
        for limit in ["0.3", "0"] {
            image.limit(limit);
            for (name, text) in ENDLESS {
                image.early(&body(text));
                let ran = image.start(&["initramfs", HAVE]);
                let said = (ran.code, ran.out(), ran.err());
                assert_eq!(said, (Some(0), String::new(), String::new()), "{shell}: {name}");
                end(&ran);
                image.reboot();
            }
        }
    }
}

/// The boot as a whole is at most the limit later, however often it is asked. A guest that runs on
/// is not left without for ever: its root may have been silent for a while.
#[test]
fn a_boot_that_has_waited_once_waits_no_more() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.limit("0.3");
        image.script(EARLY, "#!/bin/sh\nsleep 60\n");
        image.script("proc/uptime", "7.25 3.50\n");
        end(&image.queue_limits());
        image.early(RIGHT);
        for (uptime, expected) in [
            ("7.25", ""),
            ("126.99", ""),
            ("127.00", "noatime,barrier=0\n"),
            ("9000.10", "noatime,barrier=0\n"),
        ] {
            image.script("proc/uptime", &format!("{uptime} 3.50\n"));
            let said = image.root_options(&["initramfs", HAVE]);
            assert_eq!(said, expected, "{shell}: up for {uptime} s");
        }
    }
}

/// What should say since when it is left out may be cut off: /run was full.
#[test]
fn a_mark_that_says_nothing_leaves_nobody_out() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.early(RIGHT);
        image.script("run/xvdguard/late", "");
        assert_eq!(image.root_options(&["initramfs", HAVE]), "noatime,barrier=0\n", "{shell}");
    }
}

/// What is no program at all.
#[test]
fn what_cannot_be_started_is_nothing() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        assert_eq!(image.root_options(&["dracut"]), "", "{shell}: missing");
        fs::create_dir(image.within(EARLY)).unwrap();
        assert_eq!(image.root_options(&["dracut"]), "", "{shell}: a folder");
        fs::remove_dir(image.within(EARLY)).unwrap();
        for (name, content) in [
            ("empty", ""),
            ("without its interpreter", "#!/bin/none\n"),
            ("of another machine", "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x16\0"),
            ("cut off", "\x7fELF\x02\x01\x01"),
        ] {
            image.script(EARLY, content);
            assert_eq!(image.root_options(&["dracut"]), "", "{shell}: {name}");
        }
        fs::set_permissions(image.within(EARLY), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(image.root_options(&["dracut"]), "", "{shell}: not executable");
    }
}

#[test]
fn a_file_in_the_place_of_our_folder_is_no_obstacle() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.early(RIGHT);
        fs::write(image.within("run/xvdguard"), "").unwrap();
        assert_eq!(image.root_options(&["initramfs", HAVE]), "", "{shell}");
    }
}

#[test]
fn a_full_run_is_no_obstacle() {
    let Some(_) = requires::root() else { return };
    namespace::enter_private_mounts().unwrap();
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        let run = image.within("run");
        let _full = Mounted::new("tmpfs".as_ref(), &run, "tmpfs", "size=4k,nr_inodes=4").unwrap();
        image.early("yes >/run/much; yes >/run/more; echo barrier=0 >$answer");
        assert_eq!(image.root_options(&["dracut"]), "", "{shell}: filled by the program");
        assert_eq!(image.root_options(&["dracut"]), "", "{shell}: full from the beginning");
    }
}

/// A request that the host never answers cannot be interrupted: nobody can kill such a program.
#[test]
fn a_program_in_uninterruptible_sleep_is_left() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        image.limit("1");
        let disk = FaultyDisk::new(1 << 20).unwrap();
        let node = image.within("dev/xvda");
        let numbers = disk.device.rdev();
        let (major, minor) = (rustix::fs::major(numbers), rustix::fs::minor(numbers));
        let words = [node.to_str().unwrap(), "b", &major.to_string(), &minor.to_string()];
        program::run("mknod", &words).unwrap();
        disk.storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
        image.early("exec sync /dev/xvda");
        let ran = image.start(&["dracut"]);
        assert_eq!((ran.code, ran.out(), ran.err()), (Some(0), String::new(), String::new()));
        assert!(ran.left().iter().any(|one| one.ends_with(" D")), "{shell}: {:?}", ran.left());
        disk.storage.heal().unwrap();
        assert_eq!(gone(&ran), Some(()), "{shell}: {:?}", ran.left());
    }
}

/// Ends what a run has left: whoever was late before its process was known is not ended by it.
pub fn end(ran: &Ran) {
    let group = Pid::from_raw(ran.group.cast_signed()).unwrap();
    let _ = kill_process_group(group, Signal::KILL);
}

/// Nothing of a run is left, soon.
fn gone(ran: &Ran) -> Option<()> {
    seen(Duration::from_secs(10), || ran.left().is_empty().then_some(()))
}

#[test]
fn nothing_is_left_behind() {
    for shell in SHELLS {
        let Some(image) = Image::new(shell) else { return };
        for text in ["$R", "exit 1"] {
            image.early(&body(text));
            let ran = image.start(&["dracut"]);
            assert_eq!(gone(&ran), Some(()), "{shell} {text}: {:?}", ran.left());
        }
        image.limit("0.3");
        image.early("exec sleep 60");
        let ran = image.start(&["dracut"]);
        assert_eq!(gone(&ran), Some(()), "{shell}: {:?}", ran.left());
    }
}
