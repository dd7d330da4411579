//! Guests, as many as it takes: each is played in a bed that is booted where there is none, and all
//! that was seen is kept below target/xen/logs.
//!
//! A guest or a bed that dies for a reason of its own is played once more in a new bed; what then
//! dies again has failed. Never takes bad weather for a pass.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use harness::failure::{Result, Tried};
use harness::program;
use harness::scratch::Scratch;

use crate::bed::Bed;
use crate::build::debian::Debian;
use crate::build::dom0::Host;
use crate::build::emulator::Emulator;
use crate::build::{GuestKernel, guest};
use crate::domain::Seen;
use crate::order::Order;
use crate::say;

/// What all players share.
pub struct Stock {
    /// QEMU.
    pub emulator: Emulator,
    /// QEMU for PVH guests, where there are any.
    pub pvh_emulator: Option<Emulator>,
    /// Xen and dom0.
    pub host: Host,
    /// What tiny guests run.
    pub kernels: Vec<GuestKernel>,
    /// What stays.
    pub logs: PathBuf,
}

/// Whoever plays guests, one at a time.
pub struct Player<'a> {
    stock: &'a Stock,
    /// The guest with systemd, where one is needed.
    debian: Option<Debian>,
    /// Whether its bed is one for PVH guests.
    is_pvh: bool,
    /// For what is of its beds.
    logs: PathBuf,
    scratch: Scratch,
    bed: Option<Bed>,
}

impl<'a> Player<'a> {
    /// Packs what dom0 finds in /bed: a fresh file system, and kernel and root of each guest. The
    /// number tells players from each other.
    pub fn new(stock: &'a Stock, number: usize) -> Result<Player<'a>> {
        let scratch = Scratch::new("xen")?;
        let logs = stock.logs.join(format!("bed-{number}"));
        fs::create_dir_all(&logs).tried(format_args!("make {}", logs.display()))?;
        let player = Player { stock, debian: None, is_pvh: false, logs, scratch, bed: None };
        let folder = player.folder();
        let disk = folder.join("disk.ext3");
        fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
        let mkfs = ["-q", "-F", "-b", "1024", "-E", "lazy_itable_init=0"];
        let size = [disk.display().to_string(), "8M".to_owned()];
        program::run("mkfs.ext3", &[mkfs.map(str::to_owned).as_slice(), &size].concat())?;
        for kernel in &stock.kernels {
            let folder = folder.join(&kernel.name);
            fs::create_dir(&folder).tried(format_args!("make {}", folder.display()))?;
            let image = kernel.folder.join("vmlinux");
            std::os::unix::fs::symlink(&image, folder.join("vmlinux")).tried("link the image")?;
            let root = guest::root(kernel, &player.scratch)?;
            fs::write(folder.join("initrd"), root).tried("write a guest's root")?;
        }
        player.pack()?;
        Ok(player)
    }

    /// From now on its guests are such, in a bed that can have them.
    pub fn turn_to(&mut self, kernel: &GuestKernel) {
        if self.is_pvh != kernel.is_pvh {
            self.leave_bed();
            self.is_pvh = kernel.is_pvh;
        }
    }

    /// From now on this is the Debian in /bed, whose disk the next bed has; or there is none, so
    /// that the clock of the next bed may jump.
    pub fn take(&mut self, debian: Option<&Debian>) -> Result<()> {
        let folder = |debian: &Debian| debian.folder.clone();
        if self.debian.as_ref().map(folder) == debian.map(folder) {
            return Ok(());
        }
        self.leave_bed();
        let link = self.folder().join("debian");
        let _ = fs::remove_file(&link);
        if let Some(debian) = debian {
            std::os::unix::fs::symlink(&debian.folder, &link).tried("link Debian")?;
        }
        self.debian = debian.cloned();
        self.pack()
    }

    fn pack(&self) -> Result<()> {
        let (payload, folder) = (self.payload(), self.folder());
        let words = ["-c", "-h", "--exclude=debian/disk.ext3", "-f"].map(OsStr::new);
        let from = [payload.as_os_str(), "-C".as_ref(), folder.as_os_str(), ".".as_ref()];
        program::run("tar", &[&words[..], &from].concat()).map(drop)
    }

    fn folder(&self) -> PathBuf {
        self.scratch.path().join("bed")
    }

    fn payload(&self) -> PathBuf {
        self.scratch.path().join("payload.tar")
    }

    /// Plays a guest that reports by itself; `name` is that of its log.
    pub fn guest(&mut self, order: &Order, name: &str) -> Result<Seen> {
        let seen = self.twice(&mut |bed| order.play(bed))?;
        let guard = if order.guard.is_some() { "with" } else { "without" };
        let path = self.stock.logs.join(format!("{}-{guard}-{name}.txt", order.kernel.name));
        let text = format!("{:#?}\n{:#}\n{}", seen.disks, seen.guest, seen.backends);
        fs::write(&path, text).tried(format_args!("write {}", path.display()))?;
        Ok(seen)
    }

    /// Does something in a bed, once more where the first bed did not hold.
    pub fn twice<T>(&mut self, play: &mut dyn FnMut(&mut Bed) -> Result<T>) -> Result<T> {
        self.once(play).or_else(|failure| {
            say(&format!("bad weather, once more in a new bed: {failure}"));
            self.once(play)
        })
    }

    /// A bed in which something went wrong is not used again.
    fn once<T>(&mut self, play: &mut dyn FnMut(&mut Bed) -> Result<T>) -> Result<T> {
        let mut bed = match self.bed.take() {
            Some(bed) => bed,
            None => self.boot()?,
        };
        let done = play(&mut bed)?;
        self.bed = Some(bed).filter(|bed| !bed.is_spoilt);
        Ok(done)
    }

    /// The next guest is played in a new bed, where nothing is left on any disk.
    pub fn leave_bed(&mut self) {
        self.bed = None;
    }

    fn boot(&self) -> Result<Bed> {
        let begin = Instant::now();
        let Stock { emulator, pvh_emulator, .. } = self.stock;
        let emulator = pvh_emulator.as_ref().filter(|_| self.is_pvh).unwrap_or(emulator);
        let disks = self.debian.iter().flat_map(Debian::disks);
        let drives: Vec<PathBuf> = [self.payload()].into_iter().chain(disks).collect();
        let bed = Bed::start(emulator, &self.stock.host, &drives, &self.logs)?;
        say(&format!("Xen and dom0 booted in {} s", begin.elapsed().as_secs()));
        Ok(bed)
    }
}
