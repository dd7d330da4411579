//! A boot is never stopped: images in which xvdguard-early, its policy, xenstore or the disks that
//! it asks are broken. Each guest reaches the init of its root, at most the limit of the hook later
//! than one whose image has no program at all.

use harness::failure::Result;

use crate::broken::{Broken, DEBIAN, ROOT};
use crate::build::GuestKernel;
use crate::build::debian::{Kind, USUAL};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// A shell script in the program's place: `$answer` is the file for its answer, `right` gives it.
macro_rules! script {
    ($name:literal, $body:literal) => {
        Broken {
            name: $name,
            ..program(concat!(
                "cat >usr/lib/xvdguard/xvdguard-early <<'END'\n#!/bin/sh\nshift 5; answer=$2\n\
                 right() { echo barrier=0 >$answer; }\n",
                $body,
                "\nEND\nchmod 755 usr/lib/xvdguard/xvdguard-early"
            ))
        }
    };
}

/// The program stands in the image, with a policy.
macro_rules! policy {
    ($name:literal, $make:literal) => {
        Broken { name: $name, ..program(concat!("mkdir -p etc/xvdguard\n", $make)) }
    };
}

/// The host does something while the hook waits, then the program runs.
macro_rules! held {
    ($name:literal, $make:expr, $fault:literal, $heal:literal) => {
        Broken {
            name: $name,
            fault: $fault,
            heal: $heal,
            ..program(concat!(
                $make,
                "\nmkdir -p scripts/local-premount\ncat >scripts/local-premount/xvdguard <<'END'\n",
                include_str!("../debian/held"),
                "END\ncat >scripts/xvdguard <<'END'\n",
                include_str!("../../../initramfs/initramfs-tools/local-premount"),
                "END\nchmod 755 scripts/xvdguard scripts/local-premount/xvdguard"
            ))
        }
    };
}

/// All of them, by what is broken, and in images of dracut with systemd.
pub const STORIES: [(Kind, Story); 5] = [
    (USUAL, Story { name: "boots-failing", tell: failing, ..STORY }),
    (USUAL, Story { name: "boots-answering", tell: answering, ..STORY }),
    (USUAL, Story { name: "boots-hanging", tell: hanging, ..STORY }),
    (USUAL, Story { name: "boots-others", tell: others, ..STORY }),
    (Kind { maker: "dracut", ..USUAL }, Story { name: "boots-dracut", tell: with_dracut, ..STORY }),
];

const STORY: Story = Story {
    name: "",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always("each boots, in time"),
    guard: UNCONFIGURED,
    tell: failing,
};

/// What root-options gives the program (LIMIT_S), and 2 s because the guest is emulated: a program
/// starts and ends slowly there, and one that has taken all memory is long in giving it back.
const LATER_AT_MOST_MS: u64 = 5_000 + 2_000;

/// The image is as good as without xvdguard: what all others are held against.
const NO_PROGRAM: Broken =
    Broken { name: "no program", ..program(": >usr/lib/xvdguard/xvdguard-early") };

const fn program(make: &'static str) -> Broken {
    Broken { name: "", make, fault: "", heal: "", root: ROOT, device: DEBIAN }
}

const AS_IT_IS: Broken = Broken { name: "as it is", ..program("true") };

fn failing(stage: &mut Stage) -> Result<String> {
    boots(
        stage,
        &[
            AS_IT_IS,
            script!("fails", "exit 64"),
            script!("crashes", "kill -SEGV $$"),
            script!("aborts", "right; kill -ABRT $$"),
            script!("is killed", "right; kill -9 $$"),
            Broken {
                name: "of another machine",
                ..program(
                    "printf '\\177ELF\\002\\001\\001\\0\\0\\0\\0\\0\\0\\0\\0\\0\\002\\0\\267\\0' \
                     >usr/lib/xvdguard/xvdguard-early; chmod 755 usr/lib/xvdguard/xvdguard-early",
                )
            },
            Broken {
                name: "cut off",
                ..program(
                    "head -c 3000 /bin/busybox >usr/lib/xvdguard/xvdguard-early; \
                     chmod 755 usr/lib/xvdguard/xvdguard-early",
                )
            },
            script!("takes all memory", "right; exec tail /dev/zero"),
            script!("no folder", "rm -rf /run/xvdguard; right"),
        ],
    )
}

fn answering(stage: &mut Stage) -> Result<String> {
    boots(
        stage,
        &[
            script!("garbage", "head -c 4000 /bin/busybox >$answer"),
            script!("much garbage", "yes '$(reboot -f)' | head -c 8000000 >$answer"),
            script!("cut inside a quote", "printf 'barrier=0\\nROOTFLAGS=\"-o ' >$answer"),
            script!("a quote", "echo \"barrier=0'\" >$answer"),
            script!("a command", "echo 'barrier=0;reboot -f' >$answer"),
            script!("an option that no file system knows", "echo barrier=0,none=1 >$answer"),
            script!("fills /run", "cat /dev/zero >/run/much; right"),
            script!("a pipe in the file's place", "rm $answer; mkfifo $answer"),
            script!("a device in the file's place", "rm $answer; mknod $answer c 1 5"),
            script!("much on the console", "yes | head -c 300000; yes | head -c 300000 >&2; right"),
        ],
    )
}

fn hanging(stage: &mut Stage) -> Result<String> {
    boots(
        stage,
        &[
            script!("hangs", "right; sleep 600"),
            script!("hangs, deaf", "trap '' TERM INT HUP ALRM PIPE; while :; do sleep 600; done"),
            script!("turns in a circle", "while :; do :; done"),
            script!("says without end", "while :; do echo y; echo n >&2; done"),
            script!("stops itself", "kill -STOP $$; sleep 600"),
            script!("ends who waits for it", "kill -9 $PPID; sleep 600"),
            script!("stops who waits for it", "kill -STOP $PPID; right"),
            script!("a hundred processes", "for i in $(seq 100); do sleep 600 & done; right"),
            held!(
                "hangs in D state",
                "cat >usr/lib/xvdguard/xvdguard-early <<'END'\n#!/bin/sh\nexec cat /dev/xvdb\nEND\n\
                 chmod 755 usr/lib/xvdguard/xvdguard-early",
                "echo stalled >/sys/block/sick1/data",
                "echo ok >/sys/block/sick1/data"
            ),
        ],
    )
}

fn others(stage: &mut Stage) -> Result<String> {
    boots(
        stage,
        &[
            policy!("no policy", "printf '' >etc/xvdguard/frozen.policy"),
            policy!("policy of garbage", "head -c 9000 /bin/busybox >etc/xvdguard/frozen.policy"),
            policy!("policy of the future", "echo xvdguard-policy=999 >etc/xvdguard/frozen.policy"),
            policy!("endless policy", "yes x=y | head -c 4000000 >etc/xvdguard/frozen.policy"),
            held!("held, nothing broken", "true", "true", ""),
            held!(
                "silent xenstored",
                "true",
                "kill -STOP $(cat /run/xen/xenstored.pid)",
                "kill -CONT $(cat /run/xen/xenstored.pid)"
            ),
            held!(
                "flush of data stalls for ever",
                "true",
                "echo stalled >/sys/block/sick1/flush",
                "echo ok >/sys/block/sick1/flush"
            ),
            held!(
                "flushes of root and data stall for ever",
                "true",
                "for disk in 0 1; do echo stalled >/sys/block/sick$disk/flush; done",
                "for disk in 0 1; do echo ok >/sys/block/sick$disk/flush; done"
            ),
            held!(
                "data stalls as a whole",
                "true",
                "echo stalled >/sys/block/sick1/data",
                "echo ok >/sys/block/sick1/data"
            ),
        ],
    )
}

fn with_dracut(stage: &mut Stage) -> Result<String> {
    boots(
        stage,
        &[
            AS_IT_IS,
            script!("crashes", "kill -SEGV $$"),
            script!("hangs", "right; sleep 600"),
            script!("turns in a circle", "while :; do :; done"),
            script!("garbage", "cat /bin/sh >$answer"),
            script!("cut inside a quote", "printf 'barrier=0\\nOptions=\"' >$answer"),
            script!("fills /run", "cat /dev/zero >/run/much; right"),
            policy!("policy of garbage", "head -c 9000 /bin/busybox >etc/xvdguard/frozen.policy"),
        ],
    )
}

/// What of them is late or never boots, and how much later each came.
fn boots(stage: &mut Stage, all: &[Broken]) -> Result<String> {
    stage.spoil();
    let without = NO_PROGRAM.boot(stage)?.later_ms;
    let mut late = Vec::new();
    let mut said = format!("without a program {without} ms; later:");
    for broken in all {
        let later = broken.boot(stage)?.later_ms.saturating_sub(without);
        crate::say(&format!("{}: {later} ms later", broken.name));
        said.push_str(&format!(" {} {later},", broken.name));
        if later > LATER_AT_MOST_MS {
            late.push(broken.name);
        }
    }
    let said = said.trim_end_matches(',');
    match late.is_empty() {
        true => Ok(format!("each boots, in time: {said} ms")),
        false => Ok(format!("late: {}: {said} ms", late.join(", "))),
    }
}
