//! From the moment a journal is killed to the daemon's verdict, to the line in the hands of
//! `dmesg --follow | grep`, and to the line in the hands of a loop of poll(2) and read(2) that does
//! nothing else, for the same journals at the same time.
//!
//! The kernel wakes readers of its log at its next tick (wake_up_klogd of kernel/printk/printk.c,
//! IRQ_WORK_LAZY): up to 4 ms at 250 Hz, which no program can beat. The limits are on the rest.

use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use harness::failure::{Result, Tried};
use harness::helper::Helper;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, SeekFrom, open, seek};
use rustix::io::{Errno, read};
use rustix::ioctl::{Opcode, Setter, ioctl, opcode};

use super::processes::{Said, follow};
use super::watched::{Watched, at};
use crate::bench::Bench;
use crate::report::{Chapter, Promise, Table, grouped, time};

/// Guests of each stage, and the journals that die in each of them. Quiet: so many that the 99th of
/// a hundred is not the slowest one, which is the machine's affair.
const GUESTS: usize = 20;
const GUESTS_IN_FLOOD: usize = 10;
const VOLUMES: usize = 10;
/// Between two of them.
const PAUSE: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(20);
/// EXT4_IOC_SHUTDOWN of fs/ext4/ext4.h, `_IOR('X', 125, __u32)`, and its flag for a journal that is
/// aborted without being written out.
const SHUTDOWN: Opcode = opcode::read::<u32>(b'X', 125);
const NOLOGFLUSH: u32 = 2;

/// How long each of them took, sorted.
#[derive(Default)]
struct Took {
    daemon: Vec<Duration>,
    bare: Vec<Duration>,
    /// How much later the daemon knew than the bare reader; nothing where it knew before.
    later: Vec<Duration>,
    dmesg: Vec<Duration>,
}

/// Quiet and in a flood.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let quiet = stage(bench, GUESTS)?;
    let flood = Flood::start();
    let flooded = stage(bench, GUESTS_IN_FLOOD);
    let per_s = flood.end();
    let flooded = flooded?;
    let text = format!(
        "{GUESTS} guests ({GUESTS_IN_FLOOD} in the flood) with {VOLUMES} ext4 file systems, shut \
         down one after the other (EXT4_IOC_SHUTDOWN), which kills the journal and prints the \
         line. Counted from before the call to the daemon's sentence \"aborted\", its memory kept \
         by then; the rivals see the same lines at the same time. The bare reader polls and reads \
         /dev/kmsg and does nothing else: the kernel wakes whoever follows its log at its next \
         tick only, so this is the floor, and the limit is on what the daemon adds to it. In the \
         flood somebody writes to /dev/kmsg all the time. monit and watchdog look once a second at \
         their fastest, and at mount options that a dead ext4 does not change on every kernel: \
         they have no row."
    );
    let mut table = Table::new(&["what", "median", "p99", "slowest"]);
    row(&mut table, "verdict of the daemon", &quiet.daemon, None);
    row(&mut table, "the bare reader has the line", &quiet.bare, None);
    row(&mut table, "the daemon later than the bare reader", &quiet.later, Some((Some(1), 5)));
    row(&mut table, "`dmesg --follow`, grep", &quiet.dmesg, None);
    row(&mut table, "verdict of the daemon, in the flood", &flooded.daemon, Some((None, 50)));
    row(&mut table, "the bare reader, in the flood", &flooded.bare, None);
    row(&mut table, "`dmesg --follow`, grep, in the flood", &flooded.dmesg, None);
    let cells =
        ["lines a second, in the flood".into(), grouped(per_s), String::new(), String::new()];
    table.row(&cells, Promise::at_least(per_s, FLOOD_PER_S));
    let mut chapter = Chapter::new("From a dead journal to the verdict", &text);
    chapter.add(table);
    Ok(chapter)
}

/// What a daemon must find its line among, in each second; what the writer means to write; and how
/// long it waits where nothing is due.
const FLOOD_PER_S: u64 = 20_000;
const MEANT_PER_S: f64 = 21_000.0;
const BREATH: Duration = Duration::from_millis(10);

/// Limits: of the median, and of p99, which has a row of its own.
type Limits = Option<(Option<u64>, u64)>;

fn row(table: &mut Table, name: &str, times: &[Duration], limits: Limits) {
    // By nearest rank.
    let (median, p99) = (times[times.len() / 2], times[(times.len() * 99).div_ceil(100) - 1]);
    let cells = [median, p99, times[times.len() - 1]].map(time);
    let most = limits.and_then(|(median, _)| median);
    let promise = most.and_then(|most| Promise::at_most_ms(median, most));
    table.row(&[vec![name.to_owned()], cells.to_vec()].concat(), promise);
    if let Some((_, most)) = limits {
        let cells = [format!("{name}: p99"), String::new(), time(p99), String::new()];
        table.row(&cells, Promise::at_most_ms(p99, most));
    }
}

fn stage(bench: &Bench, guests: usize) -> Result<Took> {
    let mut took = Took::default();
    for _ in 0..guests {
        guest(bench, &mut took)?;
    }
    for all in [&mut took.daemon, &mut took.bare, &mut took.later, &mut took.dmesg] {
        all.sort();
    }
    Ok(took)
}

fn guest(bench: &Bench, took: &mut Took) -> Result<()> {
    let watched = Watched::start(bench, VOLUMES)?;
    let mut dmesg = rival(&["dmesg", "--follow-new"], Stdio::null())?;
    let lines = dmesg.take_output()?.into();
    let mut grep = rival(&["grep", "--line-buffered", "Aborting journal"], lines)?;
    let lines = follow(&mut grep)?;
    let bare = bare_reader()?;
    // dmesg has opened what it follows.
    thread::sleep(Duration::from_secs(1));
    for number in 0..VOLUMES {
        let started = shut_down(&watched, number)?;
        let said = format!("{}: aborted", at(number));
        let known = heard(&watched.said, &said)?;
        took.daemon.push(known.saturating_duration_since(started));
        let line = format!("on device {}-", watched.disks[number].name());
        let read = heard(&bare, &line)?;
        took.bare.push(read.saturating_duration_since(started));
        took.later.push(known.saturating_duration_since(read));
        took.dmesg.push(heard(&lines, &line)?.saturating_duration_since(started));
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A program whose output is read. No shell: what that starts would outlive it, and read every
/// later flood.
fn rival(words: &[&str], input: Stdio) -> Result<Helper> {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).stdin(input).stdout(Stdio::piped()).stderr(Stdio::null());
    Helper::start(command)
}

/// Follows the kernel log with poll(2) and read(2); lines about journals, as they come.
fn bare_reader() -> Result<Said> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let log = open("/dev/kmsg", flags, Mode::empty()).tried("open /dev/kmsg")?;
    seek(&log, SeekFrom::End(0)).tried("go to the end of /dev/kmsg")?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut record = [0; 8192];
        loop {
            match read(&log, &mut record) {
                Ok(length) => {
                    let at = Instant::now();
                    let line = String::from_utf8_lossy(&record[..length]);
                    let is_wanted = line.contains("Aborting journal");
                    if is_wanted && tell.send((at, line.into_owned())).is_err() {
                        break;
                    }
                }
                Err(Errno::AGAIN) => {
                    let mut wanted = [PollFd::new(&log, PollFlags::IN)];
                    let second = Timespec { tv_sec: 1, tv_nsec: 0 };
                    // Whether anything came is seen by the next read.
                    let _ = poll(&mut wanted, Some(&second));
                }
                // EPIPE: records were overwritten; the next read gives the oldest that is left.
                Err(_) => {}
            }
        }
    });
    Ok(told)
}

/// Kills the journal; the moment before.
fn shut_down(watched: &Watched, number: usize) -> Result<Instant> {
    let path = watched.guest.within(&at(number));
    let folder = File::open(&path).tried(format_args!("open {}", path.display()))?;
    let started = Instant::now();
    // SAFETY: EXT4_IOC_SHUTDOWN reads one u32.
    let done = unsafe { ioctl(&folder, Setter::<SHUTDOWN, u32>::new(NOLOGFLUSH)) };
    done.tried(format_args!("shut {} down", path.display()))?;
    Ok(started)
}

/// When a line with these words came.
fn heard(lines: &Said, words: &str) -> Result<Instant> {
    loop {
        let (at, line) = lines.recv_timeout(PATIENCE).tried(format_args!("hear of {words}"))?;
        if line.contains(words) {
            return Ok(at);
        }
    }
}

/// Lines of user space, written to the kernel log. Who comes late writes what is due by then.
struct Flood {
    is_over: Arc<AtomicBool>,
    written: Arc<AtomicU64>,
    began: Instant,
}

impl Flood {
    fn start() -> Flood {
        let began = Instant::now();
        let is_over = Arc::new(AtomicBool::new(false));
        let written = Arc::new(AtomicU64::new(0));
        let (ends, count) = (Arc::clone(&is_over), Arc::clone(&written));
        thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                let due = began.elapsed().as_secs_f64() * MEANT_PER_S;
                let is_due = (count.load(Ordering::Relaxed) as f64) < due;
                if let Some(Ok(lines)) = is_due.then(write_burst) {
                    count.fetch_add(lines, Ordering::Relaxed);
                } else {
                    thread::sleep(BREATH);
                }
            }
        });
        Flood { is_over, written, began }
    }

    /// Lines in a second.
    fn end(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        let written = self.written.load(Ordering::Relaxed) as f64;
        (written / self.began.elapsed().as_secs_f64()) as u64
    }
}

/// What the kernel takes of one who has the log open; beyond that it drops lines without a word
/// (kernel/printk/printk.c devkmsg_open, include/linux/ratelimit_types.h).
const BURST: u64 = 10;

/// Lines written.
fn write_burst() -> std::io::Result<u64> {
    use std::io::Write;
    let mut log = File::options().write(true).open("/dev/kmsg")?;
    for _ in 0..BURST {
        log.write_all(b"<7>bench: a line that means nothing to anybody who reads it\n")?;
    }
    Ok(BURST)
}
