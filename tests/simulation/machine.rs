//! The guest: disks, file systems, kernel log, people. What they do without any daemon.
//!
//! Nothing here asks what the daemon wants; `perform` carries out what it orders.

use harness::random::Random;
use xvdguard_logic::kernel_log::KernelLog;
use xvdguard_logic::kernel_log::record::Record;
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::recovery::memory::BootRecord;
use xvdguard_logic::recovery::signs::Signs;
use xvdguard_logic::recovery::world::Hold;

use crate::disk::Disk;
use crate::script::{Backend, Ending, Event, Plan, Script};

/// A file system and its users.
#[derive(Debug, Clone)]
pub struct Volume {
    pub plan: Plan,
    /// The mount's id, while it is mounted.
    pub mount: Option<u64>,
    pub is_alive: bool,
    pub content: u64,
    /// Changes with each mount.
    pub stamp: u64,
    /// The boot that mounted it.
    pub boot: u64,
    pub running: Vec<&'static str>,
    pub errors: u64,
    pub events: u64,
    pub next_write_ms: Option<u64>,
    pub away_until_ms: Option<u64>,
    /// When a person started its users last.
    pub started_ms: Option<u64>,
    /// Written to by the daemon at a moment that it cannot know to be bad.
    pub is_at_risk: bool,
    /// What must never be done to it, and was.
    pub damage: Vec<String>,
}

/// The whole guest.
#[derive(Debug)]
pub struct Machine {
    pub now_ms: u64,
    pub boot_at_ms: u64,
    pub boot: u64,
    pub kernel: KernelVersion,
    pub disks: Vec<Disk>,
    pub volumes: Vec<Volume>,
    pub signs: Signs,
    pub log: KernelLog,
    pub sequence: u64,
    pub next_mount: u64,
    pub domain: u32,
    pub wall_offset_s: i64,
    pub hold: Option<Hold>,
    pub hold_released: bool,
    pub seen_to: Vec<&'static str>,
    pub records: Vec<BootRecord>,
    pub reboot_at_ms: Option<u64>,
    pub keeper: Ending,
    pub reboots: Vec<u64>,
    pub is_up: bool,
    /// Whether something happened that wakes whoever watches.
    pub has_news: bool,
    pub random: Random,
}

/// What became of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrote {
    Well,
    Dead,
    Hangs,
}

impl Machine {
    pub fn new(script: &Script, seed: u64) -> Machine {
        let disks = script.volumes.iter().enumerate();
        let disks = disks.map(|(index, plan)| Disk::new(plan.disk, index as u64));
        let volumes = script.volumes.iter().enumerate().map(|(index, plan)| Volume {
            plan: plan.clone(),
            mount: Some(30 + index as u64),
            is_alive: true,
            content: index as u64,
            stamp: 1,
            boot: 1,
            running: plan.units.clone(),
            errors: 0,
            events: 0,
            next_write_ms: plan.write_every_ms,
            away_until_ms: None,
            started_ms: None,
            is_at_risk: false,
            damage: Vec::new(),
        });
        Machine {
            now_ms: 0,
            boot_at_ms: 0,
            boot: 1,
            kernel: script.kernel,
            disks: disks.collect(),
            volumes: volumes.collect(),
            signs: Signs::default(),
            log: KernelLog::default(),
            sequence: 0,
            next_mount: 100,
            domain: 1,
            wall_offset_s: script.wall_s as i64,
            hold: None,
            hold_released: false,
            seen_to: Vec::new(),
            records: script.earlier(),
            reboot_at_ms: None,
            keeper: script.keeper,
            reboots: Vec::new(),
            is_up: true,
            has_news: true,
            random: Random::from_seed(seed),
        }
    }

    pub fn boot_ms(&self) -> u64 {
        self.now_ms - self.boot_at_ms
    }

    pub fn wall_s(&self) -> u64 {
        (self.wall_offset_s + (self.now_ms / 1000) as i64).max(0) as u64
    }

    pub fn disk(&mut self, name: &str) -> &mut Disk {
        self.disks.iter_mut().find(|disk| disk.name == name).unwrap()
    }

    pub fn at(&self, mount_point: &str) -> usize {
        self.volumes.iter().position(|one| one.plan.mount_point == mount_point).unwrap()
    }

    /// A line of the log; one that is lost is overwritten before anybody reads it.
    pub fn line(&mut self, priority: u32, text: &str, is_lost: bool) {
        let sequence = self.sequence;
        self.sequence += 1;
        self.has_news = true;
        if is_lost {
            // What /dev/kmsg says with EPIPE.
            self.signs.gap = Some(self.sequence);
            self.signs.next_sequence = self.sequence;
            return;
        }
        let boot_us = self.boot_ms() * 1000;
        let record = Record { priority, sequence, boot_us, text: text.as_bytes() };
        self.signs.take(&record);
        self.log.take(&record);
    }

    pub fn request_failed(&mut self, disk: &str) {
        let now_ms = self.now_ms;
        self.disk(disk).failed_ms = Some(now_ms);
        let tail = "sector 704664 op 0x1:(WRITE) flags 0x9800 phys_seg 1 prio class 2";
        self.line(3, &format!("I/O error, dev {disk}, {tail}"), false);
    }

    fn dies(&mut self, index: usize) {
        let volume = &mut self.volumes[index];
        volume.is_alive = false;
        let (disk, is_lost) = (volume.plan.disk, volume.plan.line_is_lost);
        let is_ext = volume.plan.fstype.starts_with("ext");
        if is_ext || volume.plan.fstype == "btrfs" {
            volume.errors += 2;
        }
        if is_ext && self.kernel >= KernelVersion::new(5, 16, 0) {
            volume.events += 1;
        }
        let text = match volume.plan.fstype {
            "xfs" => format!("XFS ({disk}): log I/O error -5"),
            "btrfs" => format!("BTRFS info (device {disk} state E): forced readonly"),
            "reiserfs" => format!("REISERFS abort (device {disk}): Journal write error in x"),
            _ => format!("Aborting journal on device {disk}-8."),
        };
        self.line(3, &text, is_lost);
    }

    /// A commit of that file system.
    pub fn write(&mut self, index: usize) -> Wrote {
        let (kernel, name) = (self.kernel, self.volumes[index].plan.disk);
        let now_ms = self.now_ms;
        if !self.volumes[index].is_alive {
            return Wrote::Dead;
        }
        let aborts = kernel.aborts_on_failed_flush();
        let disk = self.disk(name);
        match disk.backend {
            Backend::Stalled => {
                disk.in_flight += 1;
                return Wrote::Hangs;
            }
            Backend::Erring | Backend::WriteErring | Backend::ReadOnly => {
                self.request_failed(name);
                self.dies(index);
                return Wrote::Dead;
            }
            Backend::Gone => {
                self.dies(index);
                return Wrote::Dead;
            }
            Backend::Up | Backend::Slow | Backend::Refusing => {}
        }
        disk.completed += 1;
        disk.written += 1;
        disk.wrote_ms = Some(now_ms);
        if disk.refuses_flushes() || disk.has_no_flush() {
            self.flush_fails(name);
            if aborts {
                self.request_failed(name);
                self.dies(index);
                return Wrote::Dead;
            }
        }
        Wrote::Well
    }

    /// A lone flush: it kills nothing.
    pub fn flush(&mut self, name: &str) {
        if self.disk(name).refuses_flushes() {
            self.flush_fails(name);
        }
    }

    fn flush_fails(&mut self, name: &str) {
        let aborts = self.kernel.aborts_on_failed_flush();
        self.disk(name).flush_fails(aborts);
        self.line(4, &format!("blkfront: {name}: flush op failed"), false);
    }

    pub fn mount(&mut self, index: usize) {
        let id = self.next_mount;
        self.next_mount += 1;
        let now_ms = self.now_ms;
        let volume = &mut self.volumes[index];
        volume.mount = Some(id);
        volume.is_alive = true;
        volume.stamp += 1;
        if !volume.plan.fstype.starts_with("ext") {
            volume.errors = 0;
        }
        volume.events = 0;
        // At the same times in every world, whenever it was mounted.
        let next = |every: u64| (now_ms / every + 1) * every;
        volume.next_write_ms = volume.plan.write_every_ms.map(next);
        let (disk, fstype) = (volume.plan.disk, volume.plan.fstype);
        match fstype {
            "xfs" => self.line(6, &format!("XFS ({disk}): Ending clean mount"), false),
            "ext3" | "ext4" => {
                self.line(6, &format!("EXT4-fs ({disk}): mounted filesystem r/w"), false);
            }
            _ => self.has_news = true,
        }
    }

    pub fn umount(&mut self, index: usize) {
        self.volumes[index].mount = None;
        self.has_news = true;
    }

    /// Whether what the disk holds is what was mounted from it.
    pub fn is_same(&self, index: usize) -> bool {
        let volume = &self.volumes[index];
        let disk = self.disks.iter().find(|disk| disk.name == volume.plan.disk).unwrap();
        disk.content == volume.content
    }

    pub fn backend(&self, index: usize) -> Backend {
        let name = self.volumes[index].plan.disk;
        self.disks.iter().find(|disk| disk.name == name).unwrap().backend
    }

    pub fn works(&self, index: usize) -> bool {
        matches!(self.backend(index), Backend::Up | Backend::Slow | Backend::Refusing)
    }

    /// When something happens by itself.
    pub fn next_ms(&self) -> u64 {
        let writes = self.volumes.iter().filter(|volume| volume.mount.is_some() && volume.is_alive);
        let writes = writes.filter(|volume| !volume.plan.read_only && self.is_up);
        let writes = writes.filter_map(|volume| volume.next_write_ms);
        let backs = self.volumes.iter().filter_map(|volume| volume.away_until_ms);
        writes.chain(backs).chain(self.reboot_at_ms).min().unwrap_or(u64::MAX)
    }

    /// What happens by itself at this moment.
    pub fn pass(&mut self) {
        for index in 0..self.volumes.len() {
            let volume = &mut self.volumes[index];
            let is_written = volume.mount.is_some() && volume.is_alive && !volume.plan.read_only;
            let is_used = volume.plan.units.is_empty() || !volume.running.is_empty();
            if self.is_up && is_written && volume.next_write_ms.is_some_and(|at| at <= self.now_ms)
            {
                let every = volume.plan.write_every_ms.unwrap_or(u64::MAX);
                volume.next_write_ms = Some((self.now_ms / every + 1) * every);
                if is_used {
                    self.write(index);
                }
            }
            if self.volumes[index].away_until_ms.is_some_and(|at| at <= self.now_ms) {
                self.volumes[index].away_until_ms = None;
                self.person_mounts(index);
            }
        }
        self.try_to_boot();
    }

    /// The next boot: early boot proves each disk by a flush, what answers is mounted, and the rest
    /// when it answers.
    pub fn restart(&mut self) {
        self.reboot_at_ms = None;
        self.reboots.push(self.now_ms);
        self.boot += 1;
        self.is_up = false;
        self.boot_at_ms = self.now_ms;
        self.signs = Signs::default();
        self.log = KernelLog::default();
        self.sequence = 0;
        for disk in &mut self.disks {
            disk.in_flight = 0;
            disk.flush_failed = false;
            disk.write_back = disk.offers_flush;
            disk.connection += 1;
        }
        for volume in &mut self.volumes {
            volume.mount = None;
            volume.running.clear();
            volume.away_until_ms = None;
        }
        for index in 0..self.disks.len() {
            self.flush(self.disks[index].name);
        }
        self.try_to_boot();
    }

    fn try_to_boot(&mut self) {
        let has_root = self.works(0) && self.is_same(0);
        if !self.is_up && !has_root {
            return;
        }
        let was_up = std::mem::replace(&mut self.is_up, true);
        if was_up && self.reboots.is_empty() {
            return;
        }
        for index in 0..self.volumes.len() {
            let volume = &self.volumes[index];
            let waits = volume.boot < self.boot && volume.mount.is_none();
            if waits && self.works(index) && self.is_same(index) {
                self.mount(index);
                let volume = &mut self.volumes[index];
                volume.boot = self.boot;
                volume.running = volume.plan.units.clone();
            }
        }
    }

    /// A person mounts it, where nobody has, and starts its users.
    fn person_mounts(&mut self, index: usize) {
        if self.works(index) && self.is_same(index) && self.volumes[index].mount.is_none() {
            self.mount(index);
        }
        let volume = &mut self.volumes[index];
        if volume.mount.is_some() && volume.is_alive && volume.plan.start == Ending::Well {
            volume.running = volume.plan.units.clone();
            volume.started_ms = Some(self.now_ms);
        }
    }

    /// Something happens to it. `is_worked_on`: whether a check or mount of that volume runs,
    /// which any person would see.
    pub fn happen(&mut self, event: &Event, is_worked_on: impl Fn(&str) -> bool) {
        // What happens to the storage shows only when somebody asks for something.
        self.has_news |= !matches!(event, Event::Backend(..) | Event::Swap(_));
        match event {
            Event::Backend(name, backend) => self.turns(name, *backend),
            Event::Swap(name) => self.disk(name).content += 100,
            Event::Kill(_) => {}
            Event::HoldAsked(hold) => self.hold = Some(hold.clone()),
            Event::HoldGone => self.hold = None,
            Event::HoldReleased => {
                self.hold = None;
                self.hold_released = true;
            }
            Event::Migrate(offers_flush) => self.migrates(*offers_flush),
            Event::WallJump(by_s) => self.wall_offset_s += by_s,
            Event::Seen(point, says_so) => {
                let index = self.at(point);
                let is_dead = !self.volumes[index].is_alive || self.volumes[index].mount.is_none();
                if !is_dead {
                    self.person_mounts(index);
                } else if !is_worked_on(point) && self.works(index) && !self.hangs(index) {
                    self.umount(index);
                    self.volumes[index].running.clear();
                    self.person_mounts(index);
                    if *says_so {
                        self.seen_to.push(point);
                    }
                }
            }
            Event::Unmounted(point, for_ms) => {
                let index = self.at(point);
                if self.works(index) && !is_worked_on(point) && !self.hangs(index) {
                    self.umount(index);
                    self.volumes[index].running.clear();
                    self.volumes[index].away_until_ms = Some(self.now_ms + for_ms);
                }
            }
            Event::FalseLine(disk) => {
                self.line(3, &format!("Aborting journal on device {disk}-8."), false);
            }
            Event::SpoofedLine(disk) => {
                self.line(11, &format!("Aborting journal on device {disk}-8."), false);
            }
            Event::Load(name) => self.disk(name).is_loaded = true,
        }
    }

    /// Whether its umount or mount hangs in the kernel, whoever asks for it.
    fn hangs(&self, index: usize) -> bool {
        let plan = &self.volumes[index].plan;
        plan.umount == Ending::Hangs || plan.mount == Ending::Hangs
    }

    fn turns(&mut self, name: &str, backend: Backend) {
        if backend == Backend::Gone {
            self.is_taken_away(name);
        }
        let disk = self.disk(name);
        if disk.backend == Backend::Gone {
            disk.connects();
        }
        disk.backend = backend;
        if backend != Backend::Stalled {
            disk.completed += disk.in_flight;
            disk.in_flight = 0;
        }
    }

    /// Nothing that was mounted from it lives on, whatever comes back under its name.
    fn is_taken_away(&mut self, name: &str) {
        self.has_news = true;
        for index in 0..self.volumes.len() {
            let volume = &self.volumes[index];
            if volume.plan.disk == name && volume.mount.is_some() && volume.is_alive {
                self.dies(index);
            }
        }
    }

    fn migrates(&mut self, offers_flush: bool) {
        self.domain += 1;
        self.line(4, "suspending xenstore...", false);
        for disk in &mut self.disks {
            disk.connects();
            disk.offers_flush = offers_flush;
        }
    }
}
