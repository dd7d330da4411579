//! The ladder's real hands: everything is opened at start, nothing is allocated, nothing executed.
//!
//! With another root than the machine, files inside it are written, and neither PID 1 nor
//! reboot(2) is touched.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::fs::{AtFlags, OFlags, SeekFrom, seek, statat};
use rustix::io::{Errno, pread, write};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::system::{RebootCommand, reboot};
use xvdguard_logic::wording::missing as wording;

use super::ladder::{Hands, Rung};
use crate::calls::fork::{self, Side};
use crate::clock;
use crate::error::Error;
use crate::recover::{last_block, read_now};
use crate::root::Root;

/// O_DIRECT wants its buffer aligned to the disk's sectors: a page is, for every disk there is.
const BLOCK_BYTES: usize = 4096;

/// How the init is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Init {
    /// systemd(1): SIGRTMIN+5 starts reboot.target.
    Systemd,
    /// Every other: SIGINT is what Ctrl-Alt-Del sends (init(8)).
    Other,
    /// There is none that could be asked.
    Nobody,
}

/// Open files and buffers.
#[derive(Debug)]
pub struct Opened {
    log: Option<OwnedFd>,
    sysrq: Option<OwnedFd>,
    stats: Option<OwnedFd>,
    run: Option<OwnedFd>,
    init: Init,
    is_machine: bool,
    last_writes: u64,
    /// Written by what is dead, and so not counted: kernel names of disks, each ended by a newline.
    dead: [u8; super::order::DEAD_BYTES],
    /// For what is read.
    block: Box<Block>,
    /// The child that asked a device last, until it is gone.
    asking: Option<Pid>,
}

#[repr(align(4096))]
#[derive(Debug)]
struct Block([u8; BLOCK_BYTES]);

/// glibc and musl keep the first two or three for themselves; systemd counts from glibc's 34.
const SIGRTMIN: i32 = 34;

impl Opened {
    /// Opens what is there; what is missing is a rung less, and is named.
    pub fn new(root: &Root, missing: &mut Vec<String>) -> Opened {
        let mut open = |path: &str, flags: OFlags| match root.open(path.as_bytes(), flags) {
            Ok(file) => Some(file),
            Err(errno) => {
                let why = Error::system("open", root.shown(path.as_bytes()), errno);
                missing.push(wording::keeper_file(path, &why));
                None
            }
        };
        Opened {
            log: open("dev/kmsg", OFlags::WRONLY | OFlags::NONBLOCK | OFlags::APPEND),
            sysrq: open("proc/sysrq-trigger", OFlags::WRONLY | OFlags::APPEND),
            stats: open("proc/diskstats", OFlags::RDONLY),
            run: open("run", OFlags::DIRECTORY | OFlags::RDONLY),
            init: init(root),
            is_machine: root.is_machine(),
            last_writes: 0,
            dead: [0; super::order::DEAD_BYTES],
            block: Box::new(Block([0; BLOCK_BYTES])),
            asking: None,
        }
    }

    /// The files it needs.
    pub fn files(&self) -> Vec<RawFd> {
        let files = [&self.log, &self.sysrq, &self.stats, &self.run];
        files.into_iter().flatten().map(AsRawFd::as_raw_fd).collect()
    }

    /// Which disks are dead from now on.
    pub fn set_dead(&mut self, dead: [u8; super::order::DEAD_BYTES]) {
        self.dead = dead;
    }

    /// A line in the kernel log.
    pub fn say(&self, text: &[u8]) {
        let Some(log) = &self.log else { return };
        let mut line = [0; 256];
        let mut length = 0;
        for part in [b"<2>xvdguard-keeper: ", text, b"\n"] {
            let room = line.len() - length;
            let taken = part.len().min(room);
            line[length..length + taken].copy_from_slice(&part[..taken]);
            length += taken;
        }
        let _ = write(log, &line[..length]);
    }

    /// Whether somebody holds.
    pub fn is_held(&self) -> bool {
        let Some(run) = &self.run else { return false };
        statat(run, c"xvdguard/hold", AtFlags::SYMLINK_NOFOLLOW).is_ok()
    }

    /// Whether each device answers a read of its last block, all of them in time. A read may hang
    /// beyond any signal, so a child does it, which is left where it hangs: there is never a second
    /// one beside it.
    pub fn answer(&mut self, devices: &[Option<OwnedFd>], within_ms: u64) -> bool {
        if self.asking.is_some_and(|child| ended_well(child, 0).is_none()) {
            return false;
        }
        let child = match fork::split() {
            Ok(Side::Child) => {
                let answers = |device| read_last(device, &mut self.block.0);
                fork::exit(i32::from(!devices.iter().flatten().all(answers)))
            }
            Ok(Side::Parent(child)) => child,
            Err(_) => return false,
        };
        let ended = ended_well(child, within_ms);
        self.asking = ended.is_none().then_some(child);
        ended == Some(true)
    }

    /// How many writes the disks have done that are not dead.
    fn writes(&mut self) -> u64 {
        let Some(stats) = &self.stats else { return 0 };
        let Opened { dead, block, .. } = self;
        let mut writes = 0u64;
        each_line(
            &mut block.0,
            |bytes, at| pread(stats, bytes, at),
            |line| {
                writes = writes.wrapping_add(writes_of(line, dead).unwrap_or(0));
            },
        );
        writes
    }
}

impl Hands for Opened {
    fn now_ms(&mut self) -> u64 {
        clock::boot_ms()
    }

    /// A directory that plays the machine has nothing that would take time.
    fn pause_ms(&mut self, time_ms: u64) {
        if self.is_machine {
            clock::pause(Duration::from_millis(time_ms));
        }
    }

    fn announce(&mut self, rung: Rung) {
        self.say(match rung {
            Rung::Init => b"the root file system is dead and its storage answers: rebooting",
            Rung::Sync => b"the orderly shutdown is over its time: sysrq s",
            Rung::ReadOnly => b"sysrq u",
            Rung::Reboot => b"reboot(2)",
            Rung::Reset => b"reboot(2) does not come back: sysrq b",
        });
    }

    fn ask_init(&mut self) -> bool {
        let signal = match self.init {
            // SAFETY: a real-time signal that libc leaves to programs; only its number is used.
            Init::Systemd => unsafe { Signal::from_raw_unchecked(SIGRTMIN + 5) },
            Init::Other => Signal::INT,
            Init::Nobody => return false,
        };
        self.is_machine && kill_process(Pid::INIT, signal).is_ok()
    }

    fn are_others_writing(&mut self) -> bool {
        let writes = self.writes();
        let last = std::mem::replace(&mut self.last_writes, writes);
        writes != last
    }

    fn sysrq(&mut self, key: u8) -> bool {
        self.sysrq.as_ref().is_some_and(|file| write(file, &[key]).is_ok())
    }

    fn reboot(&mut self) {
        if self.is_machine && fork::split() == Ok(Side::Child) {
            let _ = reboot(RebootCommand::Restart);
            fork::exit(1);
        }
    }
}

/// Whether the last whole block can be read. To read the first past the page cache might write a
/// super block that is dirty in it.
fn read_last(device: &OwnedFd, block: &mut [u8]) -> bool {
    let Ok(bytes) = seek(device, SeekFrom::End(0)) else { return false };
    matches!(read_now(device, block, last_block(bytes)), Ok(count) if count > 0)
}

/// Takes a text line by line, however long it is, through a buffer that holds the longest line.
/// Ends with what cannot be read.
fn each_line(
    buffer: &mut [u8],
    mut read_at: impl FnMut(&mut [u8], u64) -> Result<usize, Errno>,
    mut take: impl FnMut(&[u8]),
) {
    let (mut kept, mut at) = (0, 0);
    while let Ok(count @ 1..) = read_at(&mut buffer[kept..], at) {
        at += count as u64;
        let filled = kept + count;
        let mut rest = 0;
        while let Some(length) = buffer[rest..filled].iter().position(|byte| *byte == b'\n') {
            take(&buffer[rest..rest + length]);
            rest += length + 1;
        }
        buffer.copy_within(rest..filled, 0);
        kept = filled - rest;
    }
}

/// The number of writes of a line of `/proc/diskstats` (Documentation/admin-guide/iostats.rst):
/// numbers, name, four fields of reads, then writes. None for what is dead.
fn writes_of(line: &[u8], dead: &[u8]) -> Option<u64> {
    let mut fields = line.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
    let name = fields.nth(2)?;
    let is_dead = dead.split(|byte| *byte == b'\n').any(|one| one == name);
    let writes = std::str::from_utf8(fields.nth(4)?).ok()?.parse().ok()?;
    (!is_dead).then_some(writes)
}

/// sd_booted(3); an init that is not systemd takes Ctrl-Alt-Del. A shell that is PID 1 would end of
/// it, and with it the kernel, by a panic that a host may answer by destroying the guest.
fn init(root: &Root) -> Init {
    match root.stat(b"run/systemd/system") {
        Ok(_) => Init::Systemd,
        Err(_) if root.is_machine() && !is_shell(root) => Init::Other,
        Err(_) => Init::Nobody,
    }
}

/// Whether PID 1 is a shell, by its own words: `/bin/sh /init`, `/bin/busybox sh /init`. One that
/// cannot be read might be one.
fn is_shell(root: &Root) -> bool {
    let Ok(words) = root.read(b"proc/1/cmdline") else { return true };
    let mut words = words.split(|byte| *byte == 0).map(base_name);
    let first = words.next().unwrap_or_default();
    let name = if first == b"busybox" { words.next().unwrap_or_default() } else { first };
    matches!(name.strip_prefix(b"-").unwrap_or(name), b"sh" | b"ash" | b"dash" | b"bash")
}

fn base_name(path: &[u8]) -> &[u8] {
    path.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// Waits for a child: how it ended. None where it is late: it is killed, and left to whoever waits
/// for it again.
fn ended_well(child: Pid, within_ms: u64) -> Option<bool> {
    const STEP_MS: u64 = 50;
    let mut waited_ms = 0;
    loop {
        match waitpid(Some(child), WaitOptions::NOHANG) {
            Ok(Some((_, status))) => return Some(status.exit_status() == Some(0)),
            Ok(None) | Err(Errno::INTR) if waited_ms < within_ms => {}
            Ok(None) | Err(Errno::INTR) => {
                let _ = kill_process(child, Signal::KILL);
                return None;
            }
            // It is not there.
            Err(_) => return Some(false),
        }
        clock::pause(Duration::from_millis(STEP_MS));
        waited_ms += STEP_MS;
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn a_shell_that_is_pid_1_is_not_asked() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        assert!(is_shell(&root));
        std::fs::create_dir_all(dir.path().join("proc/1")).unwrap();
        let of = |words: &str| {
            std::fs::write(dir.path().join("proc/1/cmdline"), words).unwrap();
            is_shell(&root)
        };
        for shell in ["/bin/sh\0/init\0", "/bin/busybox\0sh\0/init\0", "-bash\0", "dash\0"] {
            assert!(of(shell), "{shell:?}");
        }
        for init in ["/sbin/init\0", "init [2]\0", "/bin/busybox\0init\0", "runit\0", ""] {
            assert!(!of(init), "{init:?}");
        }
    }

    #[test]
    fn lines_are_taken_whole_wherever_a_read_ends() {
        let text = b"one\ntwo and more\n\nthree\nno end";
        for step in 1..=16 {
            let mut lines = Vec::new();
            let read_at = |bytes: &mut [u8], at: u64| {
                let rest = &text[at as usize..];
                let count = rest.len().min(bytes.len()).min(step);
                bytes[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            };
            each_line(&mut [0; 16], read_at, |line| lines.push(line.to_vec()));
            assert_eq!(lines, [&b"one"[..], b"two and more", b"", b"three"], "{step}");
        }
        each_line(&mut [0; 16], |_, _| Err(Errno::IO), |_| unreachable!());
    }

    #[test]
    fn writes_of_a_dead_disk_do_not_count() {
        let line = b" 202       0 xvda 2391 1054 120282 1028 905 771 60360 1403 0 1512 2575";
        assert_eq!(writes_of(line, b""), Some(905));
        assert_eq!(writes_of(line, b"xvdb\nxvda\n"), None);
        assert_eq!(writes_of(line, b"xvda1\n"), Some(905));
        assert_eq!(writes_of(b"", b""), None);
        assert_eq!(writes_of(b"202 0 xvda", b""), None);
    }
}
