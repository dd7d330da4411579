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
}

/// The init of a root that is only to be reached.
pub const INIT: &str = "/usr/lib/bed/booted";
/// What it says first, then when a disk was connected last and when it began itself, both in
/// seconds since the kernel did.
const BOOTED: &str = "bed: booted";
/// What the hook says when it waits.
const HELD: &str = "bed: held";

/// Debian's disk and another.
const DISKS: [Host; 2] = [Host { storage: Storage::Over("/dev/vdb"), ..HEALTHY }, HEALTHY];

impl Broken {
    /// Boots a guest so, and says how many milliseconds after its disks its root came.
    pub fn boot(&self, stage: &mut Stage) -> Result<u64> {
        stage.host(&self.image_script())?;
        stage.boot_as(System::Broken, &DISKS)?;
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
        let late = || Failure::new(format!("{}: no root is reached: {seen}", self.name));
        let mut times = line.ok_or_else(late)?.1.split_whitespace().filter_map(ms);
        let (connected, began) = (times.next(), times.next());
        let strange = || Failure::new(format!("{}: the guest says {seen}", self.name));
        connected.zip(began).map(|(from, to)| to.saturating_sub(from)).ok_or_else(strange)
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

/// `12.345678` as 12345.
fn ms(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.parse().ok()?;
    Some((seconds * 1000.0) as u64)
}
