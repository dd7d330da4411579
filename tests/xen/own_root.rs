//! Tiny guests whose root is their first disk, where the daemon runs: what stories of a dead root
//! have in common. There the agent, which lies in memory, sees that root as `/xvda`.

use harness::failure::{Failure, Result};

use crate::guest::CONSOLE;
use crate::order::System;
use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::Stage;

/// A root on the first sick disk.
pub const ROOT: Host = Host { storage: Storage::Blank, ..HEALTHY };

/// Makes it: empty.
pub const MAKE_ROOT: &str = "# an empty disk for a root\nset -e\n\
    rmmod sick_disk 2>/dev/null || true\n\
    insmod /modules/sick_disk.ko disks=1 megabytes=32\n\
    mkfs.ext3 -q -b 1024 -E lazy_itable_init=0 /dev/sick0";

/// Makes it fail.
pub const ERRORS: &str = "echo error >/sys/block/sick0/data";

/// Waits for the record of this boot, without which there is no reboot.
const ON_RECORD: &str = "# the record of this boot\nfor look in $(seq 300); do\n\
    grep -q $(cat /proc/sys/kernel/random/boot_id) /xvda/var/lib/xvdguard/boots && exit\n\
    sleep 0.3; done 2>/dev/null; echo no record; exit 1";

const STOP: &str = "# the daemon ends well, and says so on the disk\n\
    kill $(cat /xvda/run/daemon.pid)\nfor look in $(seq 100); do\n\
    grep -q 'ended_well\": *true' /xvda/var/lib/xvdguard/boots && exit\n\
    sleep 0.3; done; echo no end; exit 1";

impl Stage<'_> {
    /// Boots from this disk, which the story has made: twice where the daemon runs, since it trusts
    /// no record that it never saw last. Ends with this boot on record.
    pub fn boot_own_root(&mut self, disk: Host) -> Result<()> {
        self.boot_as(System::OwnRoot, &[disk])?;
        if !self.is_guarded() {
            return Ok(());
        }
        self.guest(ON_RECORD)?;
        self.guest(STOP)?;
        self.begin("sync; reboot -f")?;
        if !self.is_down(60)? {
            return Err(Failure::new("the guest does not reboot"));
        }
        self.boot_again()
    }

    /// Boots it again after it went down, until that is on record.
    pub fn boot_again(&mut self) -> Result<()> {
        self.reborn()?;
        self.guest(ON_RECORD).map(drop)
    }

    /// Adds lines to the configuration's table `[reboot]`.
    pub fn configure_reboot(&mut self, lines: &str) -> Result<()> {
        self.guest(&format!(
            "# configure\nsed -i '/^\\[reboot\\]/a {lines}' /xvda/etc/xvdguard/config.toml\n\
             chroot /xvda /bin/xvdguard config check && kill -HUP $(cat /xvda/run/daemon.pid)"
        ))
        .map(drop)
    }

    /// Nothing of root stays in memory but what runs, and this script makes its storage fail, for
    /// so long and longer: whether small writes make its journal die of that.
    pub fn fails(&mut self, script: &str, seconds: u32) -> Result<&'static str> {
        self.guest("# nothing in memory\nsync; echo 3 >/proc/sys/vm/drop_caches")?;
        self.host(script)?;
        self.write("/xvda/during", 20)?;
        self.host(&format!("# let time pass\nsleep {seconds}"))?;
        let seen = self.guest("dmesg | grep -q 'Aborting journal' && echo aborted; true")?;
        Ok(if seen.is_empty() { "alive" } else { "aborted" })
    }

    /// The storage of root is healthy again.
    pub fn heals(&mut self) -> Result<()> {
        self.data(0, "ok")
    }

    /// Whether the guest reboots, while somebody looks for three minutes.
    pub fn reboots(&mut self) -> Result<&'static str> {
        let is_down = self.is_down(180)?;
        let printed = self.console()?;
        crate::say(&printed);
        Ok(if is_down { "reboots" } else { "stays up" })
    }

    /// Whether root takes writes.
    pub fn is_root_healthy(&mut self, name: &str) -> Result<&'static str> {
        let written = self.write(&format!("/xvda/{name}"), 20)?;
        Ok(if written == 20 { "healthy" } else { "cannot be written" })
    }

    /// What the guest has printed since its kernel began.
    pub fn console(&mut self) -> Result<String> {
        self.host(&format!("# what the guest printed\ncat {CONSOLE}"))
    }
}
