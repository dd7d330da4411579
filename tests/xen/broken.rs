//! Boots with something of xvdguard in the image broken: what is broken, how it gets into an image,
//! and how soon after its disks are there the guest starts the init of its root.

use harness::failure::{Failure, Result};

use crate::guest::{BROKEN_IMAGE, CONSOLE};
use crate::order::System;
use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::Stage;

/// One thing that is broken.
#[derive(Debug, Clone, Copy)]
pub struct Broken {
    /// In the report.
    pub name: &'static str,
    /// Makes the files that take the place of those in the image, in an empty folder.
    pub make: &'static str,
    /// What the host does while the hook waits for it.
    pub fault: &'static str,
    /// How the host takes it back once the guest is seen to have booted.
    pub heal: &'static str,
    /// Of the kernel command line: root, and how it is to be mounted.
    pub root: &'static str,
    /// dom0's device that is the first disk.
    pub device: &'static str,
}

/// What the init of the root saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booted {
    /// How long after the disks it began.
    pub later_ms: u64,
    /// The options that root is mounted with.
    pub options: String,
    /// What the image has left of ours to systemd.
    pub left: String,
}

/// The init of a root that is only to be reached.
pub const INIT: &str = "/usr/lib/bed/booted";
/// What it says first, then when a disk was connected last and when it began itself, both in
/// seconds since the kernel did.
const BOOTED: &str = "bed: booted";
/// What the hook says when it waits.
const HELD: &str = "bed: held";

/// Root as it is named where nothing else is said.
pub const ROOT: &str = "root=/dev/xvda ro";

/// Debian's disk.
pub const DEBIAN: &str = "/dev/vdb";

impl Broken {
    /// Boots a guest so, as far as the init of its root.
    pub fn boot(&self, stage: &mut Stage) -> Result<Booted> {
        stage.host(&self.image_script())?;
        stage.say_to_kernel(self.root);
        let root = Host { storage: Storage::Over(self.device), ..HEALTHY };
        stage.boot_as(System::Broken, &[root, HEALTHY])?;
        if !self.fault.is_empty() {
            let fault = self.fault;
            stage.host(&format!(
                "# a fault while the hook waits\nfor look in $(seq 300); do grep -aq '{HELD}' \
                 {CONSOLE} && break; sleep 0.2; done\n{fault}"
            ))?;
        }
        let seen = stage.host(&format!(
            "# wait for the root\nfor look in $(seq 300); do grep -aq '{BOOTED}' {CONSOLE} && \
             break; sleep 0.3; done\n{heal}\ngrep -a '{BOOTED}' {CONSOLE} || tail -n 20 {CONSOLE}",
            heal = self.heal
        ))?;
        stage.end()?;
        let line = seen.lines().find_map(|line| line.split_once(BOOTED));
        let strange = || Failure::new(format!("{}: no root is reached: {seen}", self.name));
        line.and_then(|(_, words)| booted(words)).ok_or_else(strange)
    }

    /// An archive behind the image takes the place of its files (initramfs buffer format of the
    /// kernel: archives follow each other, each at a multiple of four bytes).
    fn image_script(&self) -> String {
        format!(
            "# the image\nset -e\nrm -rf /run/broken\nmkdir -p /run/broken/usr/lib/xvdguard\n\
             cd /run/broken\n{make}\nimage=/bed/debian/initrd\n\
             {{ cat $image; head -c $(((4 - $(stat -c %s $image) % 4) % 4)) /dev/zero\n\
             find . | cpio -o -H newc; }} >{BROKEN_IMAGE} 2>/dev/null",
            make = self.make
        )
    }
}

fn booted(words: &str) -> Option<Booted> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let [connected, began, options, left] = words.as_slice() else { return None };
    let later_ms = ms(began)?.saturating_sub(ms(connected)?);
    Some(Booted { later_ms, options: (*options).to_owned(), left: (*left).to_owned() })
}

/// `12.345678` as 12345.
fn ms(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.parse().ok()?;
    Some((seconds * 1000.0) as u64)
}
