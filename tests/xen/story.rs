//! Scenarios in which host and guest act in turn: what changes while a guest runs, what outlasts a
//! reboot, and storage that a scenario builds itself. Each is told twice, without xvdguard and with
//! it, and says in a few words what came of it.

use std::ffi::OsStr;
use std::fs;
use std::ops::Range;

use harness::failure::{Failure, Result, Tried};
use harness::program;

use crate::bed::Bed;
use crate::build::GuestKernel;
use crate::guest::{CONSOLE, IMAGE_OF_ITS_OWN, TROUBLE};
use crate::order::{Guard, Order, Placed, System};
use crate::scenario::{Advertised, Flushes, Host};

/// One such scenario; each has a file of its own in `scenarios/`.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    /// As it is called on the command line.
    pub name: &'static str,
    /// The kernels that it is told on.
    pub is_for: fn(&GuestKernel) -> bool,
    /// Whether its guest is Debian, with the kernel of its own that Debian has.
    pub is_debian: bool,
    /// What it must come to without xvdguard; empty where it is not told so.
    pub without: Told,
    /// What it must come to with it.
    pub with: Told,
    /// How xvdguard is configured in it.
    pub guard: Guard<'static>,
    /// Tells it, and what came of it.
    pub tell: fn(&mut Stage) -> Result<String>,
}

/// What must come of a story up to Linux 6.10, and from 6.11.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Where a failed flush makes blkfront switch flushes off.
    pub up_to_6_10: &'static str,
    /// Where it does not.
    pub from_6_11: &'static str,
}

/// The same on every kernel.
pub const fn always(what: &'static str) -> Told {
    Told { up_to_6_10: what, from_6_11: what }
}

/// What it comes to without xvdguard is told elsewhere.
pub const NOT_TOLD: Told = always("");

/// Ends when Debian's boot has, and says how: as systemd does, by its word.
pub const BOOTED: &str = "# the boot has ended\nif command -v systemctl >/dev/null; then \
    systemctl is-system-running --wait; else until runlevel | grep -q ' 2$'; do sleep 1; done; \
    echo running; fi; true";

/// Mounts every disk of a tiny guest, each at its own name.
pub const MOUNT_ALL: &str = "# every disk is mounted\nfor disk in /dev/xvd?; do\n\
    mkdir ${disk#/dev}; mount -t ext3 $disk ${disk#/dev}; done";

/// Nothing configured.
pub const UNCONFIGURED: Guard<'static> = Guard { words: "", policy: "" };

impl Told {
    /// What must come of it on a kernel.
    pub fn on(&self, kernel: &GuestKernel) -> &'static str {
        if kernel.switches_off() { self.up_to_6_10 } else { self.from_6_11 }
    }
}

/// Where a story is told: dom0 and one guest at a time.
pub struct Stage<'a> {
    bed: &'a mut Bed,
    order: Order<'a>,
    domain: String,
    /// Commands that this guest was given, over all its domains.
    commands: usize,
}

impl<'a> Stage<'a> {
    /// No guest yet.
    pub fn new(bed: &'a mut Bed, kernel: &'a GuestKernel, guard: Option<Guard<'a>>) -> Stage<'a> {
        let order = Order { kernel, guard, disks: Vec::new(), system: System::Tiny };
        Stage { bed, order, domain: String::new(), commands: 0 }
    }

    /// Whether `xvdguard-early` runs in the guests of this telling.
    pub fn is_guarded(&self) -> bool {
        self.order.guard.is_some()
    }

    /// Words that the kernel of the next guest gets.
    pub fn say_to_kernel(&mut self, words: &'a str) {
        let policy = self.order.guard.map_or("", |guard| guard.policy);
        self.order.guard = Some(Guard { words, policy });
    }

    /// Boots a tiny guest with these disks, fresh ones where the story has not made them.
    pub fn boot(&mut self, hosts: &[Host]) -> Result<()> {
        self.boot_as(System::Tiny, hosts)
    }

    /// The same with another system.
    pub fn boot_as(&mut self, system: System, hosts: &[Host]) -> Result<()> {
        let placed = |host: &Host| Placed { scenario: 0, role: "data", host: *host };
        self.order.system = system;
        self.order.disks = hosts.iter().map(placed).collect();
        self.bed.run(&self.order.prepare_script())?;
        self.create()
    }

    fn create(&mut self) -> Result<()> {
        self.bed.run(&self.order.create_script())?;
        self.commands = 0;
        self.connect()
    }

    /// Lets Debian reboot, onto the disks that it had.
    pub fn reboot(&mut self) -> Result<()> {
        self.shut_down()?;
        self.reborn()
    }

    /// Lets Debian reboot, as far as it does that itself.
    pub fn shut_down(&mut self) -> Result<()> {
        self.begin("if command -v systemctl; then systemctl reboot; else shutdown -r now; fi")?;
        match self.is_down(1500)? {
            true => Ok(()),
            false => Err(Failure::new("the guest does not shut down")),
        }
    }

    /// Whether the guest shuts down within so many seconds, and not by a crash (`---sc-` in xl(1)).
    /// xenstored tells when one does: asking again and again is what costs, not waiting.
    pub fn is_down(&mut self, seconds: u32) -> Result<bool> {
        let seen = self.bed.run(&format!(
            "# wait until the guest has shut down\n\
             look() {{ xl list bed | grep ' ---s[^c]' && echo down && exit; }}\nlook\n\
             timeout {seconds} xenstore-watch -n 2 @releaseDomain >/dev/null; look; xl list"
        ))?;
        crate::say(&seen);
        Ok(seen.lines().any(|line| line == "down"))
    }

    /// Boots a guest that has shut down, onto the disks that it had.
    pub fn reborn(&mut self) -> Result<()> {
        self.end()?;
        self.bed.run(&format!("# begin with an empty console\nrm -f {CONSOLE}"))?;
        self.create()
    }

    /// Boots Debian as its loader would, with the image that lies on its disk: the first one.
    pub fn reborn_by_itself(&mut self) -> Result<()> {
        self.host(&format!(
            "# take the image off the disk\nset -e\nname=$(debugfs -R 'ls -p /boot' /dev/sick0 | \
             cut -d/ -f6 | grep '^initrd.img-' | tail -n 1)\nrm -f {IMAGE_OF_ITS_OWN}\n\
             debugfs -R \"dump /boot/$name {IMAGE_OF_ITS_OWN}\" /dev/sick0\n\
             [ -s {IMAGE_OF_ITS_OWN} ]"
        ))?;
        self.reborn_as(System::DebianItself)
    }

    /// Boots another image of Debian, onto the disks that the guest had.
    pub fn reborn_as(&mut self, system: System) -> Result<()> {
        self.order.system = system;
        self.reborn()
    }

    fn connect(&mut self) -> Result<()> {
        self.domain = self.bed.run("xl domid bed")?.trim_end().to_owned();
        self.connect_disks(self.order.all())
    }

    fn connect_disks(&mut self, places: Range<usize>) -> Result<()> {
        self.bed.run(&self.order.frontends_script(&self.domain, places.clone()))?;
        self.bed.run(&self.order.connect_script(&self.domain, places)).map(drop)
    }

    /// Takes a disk away that nothing in the guest uses.
    pub fn detach(&mut self, place: usize) -> Result<()> {
        self.bed.run(&self.order.detach_script(&self.domain, place)).map(drop)
    }

    /// Plugs it in again, and waits until its backend is connected.
    pub fn attach(&mut self, place: usize) -> Result<()> {
        self.bed.run(&self.order.attach_script(&self.domain, place))?;
        self.connect_disks(place..place + 1)
    }

    /// Tells the guest that a disk has grown.
    pub fn grow(&mut self, place: usize) -> Result<()> {
        self.bed.run(&self.order.grow_script(&self.domain, place)).map(drop)
    }

    /// What this story does to dom0 is not taken back: the next guest needs another.
    pub fn spoil(&mut self) {
        self.bed.is_spoilt = true;
    }

    /// The number of its domain.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Runs a script in dom0.
    pub fn host(&mut self, script: &str) -> Result<String> {
        self.bed.run(script)
    }

    /// Runs a script in the guest and returns what it printed.
    pub fn guest(&mut self, script: &str) -> Result<String> {
        self.begin(script)?;
        self.finish(script)
    }

    /// Begins a script in the guest, which need not end before `finish`.
    pub fn begin(&mut self, script: &str) -> Result<()> {
        self.commands += 1;
        let node = self.node();
        let command = "base64 -w 0 <<'BED_END'";
        self.bed
            .run(&format!(
                "# tell the guest\nxenstore-write {node} \"$({command}\n{script}\nBED_END\n)\""
            ))
            .map(drop)
    }

    /// Waits for the end of what was begun last.
    pub fn finish(&mut self, script: &str) -> Result<String> {
        let node = self.node();
        self.bed.run(&format!(
            "# in the guest: {script}\nfor look in $(seq 200); do\n\
             done=$(xenstore-read {node}-done 2>/dev/null) && break\n\
             grep -aq '^{TROUBLE}' {CONSOLE} && break\n\
             sleep 2; done\n\
             [ -n \"$done\" ] || {{ echo 'no answer'; tail -n 5 {CONSOLE}; exit 1; }}\n\
             set -- $done\npart=0; while [ $part -lt $2 ]; do xenstore-read {node}-$part\n\
             part=$((part + 1)); done | base64 -d; exit $1",
            script = script.lines().next().unwrap_or_default()
        ))
    }

    fn node(&self) -> String {
        format!("/local/domain/{}/data/bed/{}", self.domain, self.commands)
    }

    /// From now on the flushes of this disk are answered so.
    pub fn flushes(&mut self, place: usize, flushes: Flushes) -> Result<()> {
        let word = flushes.word();
        self.bed.run(&format!("echo {word} >/sys/block/sick{place}/flush")).map(drop)
    }

    /// From now on this becomes of what this disk is asked: `ok`, `stalled`, `error`,
    /// `write-error`.
    pub fn data(&mut self, place: usize, word: &str) -> Result<()> {
        self.bed.run(&format!("echo {word} >/sys/block/sick{place}/data")).map(drop)
    }

    /// How many flushes have come to the storage.
    pub fn count_flushes(&mut self, place: usize) -> Result<u64> {
        let count = format!("# flushes\ncut -d ' ' -f 1 /sys/block/sick{place}/flushes");
        self.host(&count)?.trim().parse().tried("count flushes")
    }

    /// Saves the guest and restores it with backends that say something else. Its image would not
    /// fit beside all that a run of every kernel brings: dom0's root may have half the memory.
    pub fn move_to(&mut self, advertises: Advertised) -> Result<()> {
        self.bed.run(
            "# save the guest\nset -e\nmkdir -p /save\nmount -t tmpfs -o size=100% tmpfs /save\n\
             xl save bed /save/bed\nxl restore -e /save/bed\numount /save",
        )?;
        self.order.disks.iter_mut().for_each(|disk| disk.host.advertises = advertises);
        self.connect()
    }

    /// Ends the guest as a power failure does, and waits until its disks are free.
    pub fn end(&mut self) -> Result<()> {
        let domain = &self.domain;
        self.bed
            .run(&format!(
                "# end the guest\nxl destroy {domain}\n\
                 while ls -d /sys/bus/xen-backend/devices/vbd-{domain}-* >/dev/null 2>&1\n\
                 do sleep 0.1; done"
            ))
            .map(drop)
    }

    /// Small synced writes into a folder of the guest until one fails; returns how many succeeded.
    pub fn write(&mut self, path: &str, count: u64) -> Result<u64> {
        let said = self.guest(&format!("/init write {path} {count}"))?;
        let written = said.split_whitespace().next().and_then(|word| word.parse().ok());
        written.ok_or_else(|| Failure::new(format!("the guest says of its writes: {said}")))
    }

    /// Keeps what `xvdguard record` sees of a guest with xvdguard, for a person to make a fixture
    /// of: `KERNEL-NAME.tar` below target/xen/logs.
    pub fn record(&mut self, name: &str) -> Result<()> {
        if !self.is_guarded() {
            return Ok(());
        }
        let coded =
            self.guest("xvdguard record -o /record.tar >/dev/null 2>&1 && base64 /record.tar")?;
        let path = self.bed.logs().join(format!("{}-{name}.tar", self.order.kernel.name));
        let coded_path = path.with_extension("base64");
        fs::write(&coded_path, coded).tried(format_args!("write {}", coded_path.display()))?;
        let decode = ["-c", "base64 -di \"$1\" >\"$2\" && rm \"$1\"", "sh"].map(OsStr::new);
        let paths = [coded_path.as_os_str(), path.as_os_str()];
        program::run("sh", &[&decode[..], &paths].concat()).map(drop)
    }

    /// What became of a disk that is mounted at a folder of its name.
    pub fn fate(&mut self, disk: &str) -> Result<String> {
        let said = self.guest(&format!(
            "dmesg | grep -q 'Aborting journal on device {disk}' && echo journal aborted && exit\n\
             rm -f /{disk}/last-0; /init write /{disk}/last 1 | grep -q ^1 && \
             echo healthy || echo cannot be written\ntrue"
        ))?;
        Ok(said.trim_end().to_owned())
    }
}
