//! A guest of any size: what a recording of it holds, in memory, and its vbds in a real xenstored.
//!
//! Every vbd says that it takes no flush (both feature keys are 0), so that none is ever sent. The
//! kernel log is a file, as in a recording: nothing is written to that of this machine.

use std::fmt::{self, Display};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use harness::failure::{Result, Tried};
use harness::guest_xenstore::{VbdSpec, add_vbd};
use harness::xenstored::Xenstored;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::world::Places;

use crate::bench::Bench;
use crate::kernel_log_text;
use crate::report::grouped;
use crate::sysfs::{self, Disk};

/// How large a guest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// vbds, each with its disk.
    pub disks: usize,
    /// Lines of mountinfo.
    pub mounts: usize,
}

impl Display for Size {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |count: usize, what| match count {
            1 => format!("1 {what}"),
            count => format!("{} {what}s", grouped(count as u64)),
        };
        write!(to, "{}, {}", shown(self.disks, "disk"), shown(self.mounts, "mount"))
    }
}

/// A guest.
#[derive(Debug)]
pub struct Guest {
    /// How large it is.
    pub size: Size,
    root: PathBuf,
    store: Xenstored,
    files: Vec<PathBuf>,
}

/// What holds for the whole guest.
const FILES: [(&str, &str); 8] = [
    ("proc/cmdline", "root=/dev/xvda1 ro console=hvc0\n"),
    ("proc/sys/kernel/osrelease", "5.10.0-30-amd64\n"),
    ("proc/sys/kernel/random/boot_id", "6b1b4dd0-6f5e-4f0a-9d4c-1d7a2f0e7b55\n"),
    ("proc/xen/capabilities", ""),
    ("sys/hypervisor/type", "xen\n"),
    ("sys/hypervisor/guest_type", "PV\n"),
    ("sys/hypervisor/properties/features", "00002705\n"),
    ("sys/hypervisor/uuid", "aeb329f7-6d7a-4164-ba74-1b6e5bd7036d\n"),
];

/// In the root, where `xvdguard record` puts it.
const LISTING: &str = "xenstore.txt";
const POLICY: &str = "queue.policy";

/// Limits for each disk; without them `queue` has nothing to look for.
const QUEUE: &str = "xvdguard-policy=1\nqueue.match=xvd*\nqueue.backend=lvm\nqueue.params=*\n\
    queue.max_sectors_kb=1024\nqueue.read_ahead_kb=4096\n";

impl Guest {
    /// Makes the guest `name`.
    pub fn new(bench: &Bench, name: &str, size: Size) -> Result<Guest> {
        let store = Xenstored::start()?;
        let mut guest = Guest { size, root: bench.within(name), store, files: Vec::new() };
        for (path, text) in FILES {
            guest.write(path, text)?;
        }
        let disks: Vec<Disk> = (0..size.disks).map(Disk::new).collect();
        for disk in &disks {
            guest.add(disk)?;
        }
        guest.write("proc/self/mountinfo", &sysfs::mountinfo(&disks, size.mounts))?;
        // What follows is no part of an observation, but of opening the world.
        let observed = guest.files.len();
        guest.write("dev/kmsg", &kernel_log_text::of_a_boot(&disks))?;
        guest.write(LISTING, &guest.store.listing()?)?;
        guest.write(POLICY, QUEUE)?;
        guest.files.truncate(observed);
        let run = guest.root.join("run");
        fs::create_dir_all(&run).tried(format_args!("make {}", run.display()))?;
        Ok(guest)
    }

    /// The directory for `--root`.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The socket of its xenstored.
    pub fn socket(&self) -> &Path {
        self.store.socket()
    }

    /// What `xenstore-ls -f` prints of it.
    pub fn listing(&self) -> PathBuf {
        self.root.join(LISTING)
    }

    /// A frozen policy with two limits for each disk.
    pub fn policy(&self) -> PathBuf {
        self.root.join(POLICY)
    }

    /// Gives every disk the limits back that it began with; says whether all had those of the
    /// policy.
    pub fn take_limits_back(&self) -> Result<bool> {
        let mut were_set = true;
        for disk in (0..self.size.disks).map(Disk::new) {
            for ((path, before), after) in disk.limits().into_iter().zip(["1024", "4096"]) {
                let file = self.root.join(path);
                let what = format!("take back {}", file.display());
                were_set &= fs::read_to_string(&file).tried(&what)?.trim_end() == after;
                fs::write(&file, before).tried(&what)?;
            }
        }
        Ok(were_set)
    }

    /// The guest with its saved xenstore.
    pub fn recorded(&self) -> Places {
        let (root, xenstore) = (self.root.clone(), self.listing());
        Places { root: Some(root), xenstore: Some(xenstore), kernel_log: None }
    }

    /// The same from inside, where its root is the machine's.
    pub fn itself(&self) -> Places {
        Places { xenstore: Some(Path::new("/").join(LISTING)), ..Places::default() }
    }

    /// The guest with its running xenstore.
    pub fn live(&self) -> Places {
        Places { xenstore: Some(self.socket().to_owned()), ..self.recorded() }
    }

    /// The files below the root that one observation reads.
    pub fn files(&self, depth: Depth) -> Vec<&Path> {
        let decides = |file: &&Path| {
            let is_of_queue = file.parent().is_some_and(|folder| folder.ends_with("queue"));
            depth == Depth::All || !is_of_queue || file.ends_with("write_cache")
        };
        self.files.iter().map(PathBuf::as_path).filter(decides).collect()
    }

    fn add(&mut self, disk: &Disk) -> Result<()> {
        for folder in disk.folders() {
            let folder = self.root.join(folder);
            fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
        }
        for (path, text) in disk.files() {
            self.write(&path, &text)?;
        }
        for (path, target) in disk.links() {
            let link = self.folder_of(&path)?;
            symlink(target, &link).tried(format_args!("make the link {}", link.display()))?;
        }
        let spec = VbdSpec {
            number: disk.vbd,
            name: &disk.name,
            params: &format!("/dev/vg0/{}", disk.name),
            flush: Some("0"),
            barrier: Some("0"),
            more: &[("physical-device-path", "/dev/dm-4"), ("feature-discard", "0")],
            ..VbdSpec::default()
        };
        add_vbd(&self.store, &spec)
    }

    fn write(&mut self, path: &str, text: &str) -> Result<()> {
        let file = self.folder_of(path)?;
        fs::write(&file, text).tried(format_args!("write {}", file.display()))?;
        self.files.push(file);
        Ok(())
    }

    /// A path below the root, in a folder that is there.
    fn folder_of(&self, path: &str) -> Result<PathBuf> {
        let path = self.root.join(path);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).tried(format_args!("make {}", folder.display()))?;
        }
        Ok(path)
    }
}
