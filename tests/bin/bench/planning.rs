//! From fstab to its replacement: read, find what its lines name, plan, replace; how that grows,
//! and `xvdguard plan` on a usual guest.

use std::fmt::Write;
use std::fs::{self, create_dir_all};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::failure::{Failure, Result, Tried};
use harness::program;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
use xvdguard_linux::observe::fstab::{self, FSTAB};
use xvdguard_linux::rewrite::Original;
use xvdguard_linux::root::Root;
use xvdguard_logic::block::{BlockDevice, DeviceNumber};
use xvdguard_logic::disk::{BlockDisk, Disk};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::plan::{Plan, Situation, plan};
use xvdguard_logic::policy::Policy;
use xvdguard_logic::verdict::FlushVerdict;
use xvdguard_logic::verdict::report::DiskReport;

use crate::bench::Bench;
use crate::guest::{Guest, Size};
use crate::measure::{self, Contest, Sample};
use crate::report::{Chapter, Promise, Table};

const LINES: [usize; 4] = [10_000, 1_000, 100, 10];
const ROUNDS: usize = 51;
/// What most guests have.
const USUAL: Size = Size { disks: 4, mounts: 32 };
const FIVE_LINES: &str = "# static\n/dev/xvda1 / ext4 errors=remount-ro 0 1\n\
    /dev/xvdb1 /srv ext4 noatime 0 2\n/dev/xvdc none swap sw 0 0\n\
    /dev/xvdd /backup xfs nofail 0 2\n";

/// Both tables.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let text = "Read, each device looked for by its link, planned by the decision table, replaced \
                atomically, in a file system in memory that is the machine. Every third line is \
                an ext4 on a disk that refuses flushes, and gets `barrier=0`. The rival only \
                replaces.";
    let mut chapter = Chapter::new("Plan and apply", text);
    chapter.add(growth(bench)?);
    chapter.say(
        "`xvdguard plan`: 4 disks, a running xenstored, a fstab of 5 lines. The rivals look at \
         less: at fstab alone, at the keys of one backend.",
    );
    chapter.add(usual(bench)?);
    Ok(chapter)
}

fn growth(bench: &Bench) -> Result<Table> {
    let machines = LINES.map(|lines| Machine::new(&bench.within(&format!("fstab-{lines}")), lines));
    let [most, fewer @ ..] = machines;
    let most = most?;
    most.check()?;
    let mut contest = Contest::of(shown(LINES[0]), || most.sample());
    for (lines, machine) in LINES[1..].iter().zip(fewer) {
        let machine = machine?;
        contest = contest.against(shown(*lines), move || machine.sample());
    }
    let script = "cp --preserve=all \"$0\" \"$0.new\" && sync \"$0.new\" && mv \"$0.new\" \"$0\"";
    let shell = program::find("dash").unwrap_or_else(|| PathBuf::from("/bin/sh"));
    let contest = contest.against("sh, cp --preserve=all, sync, mv of the 10000", || {
        most.reset()?;
        let mut command = bench.command(&shell)?;
        command.args(["-c", script]).arg(most.path());
        measure::process(command)
    });
    let outcomes = contest.run(ROUNDS)?;
    Ok(Table::of(&outcomes, &[Promise::at_most_ms(outcomes[0].wall, 20)]))
}

fn shown(lines: usize) -> String {
    format!("{lines} lines")
}

/// A directory with a long fstab, and what is known of its one disk.
struct Machine {
    folder: PathBuf,
    seen: Observation,
    reports: Vec<DiskReport>,
    content: String,
}

impl Machine {
    fn new(folder: &Path, lines: usize) -> Result<Machine> {
        let links = folder.join("dev/disk/by-uuid");
        for folder in [&links, &folder.join("etc"), &folder.join("proc/sys/kernel")] {
            create_dir_all(folder).tried(format_args!("make {}", folder.display()))?;
        }
        let what = format!("fill {}", folder.display());
        mknodat(CWD, folder.join("dev/xvda"), FileType::BlockDevice, Mode::RUSR, makedev(202, 0))
            .tried(&what)?;
        fs::write(folder.join("proc/sys/kernel/osrelease"), "6.1.0-56-amd64\n").tried(&what)?;
        let mut content = String::new();
        for line in 0..lines {
            let _ = match line % 3 {
                0 => {
                    symlink("../../xvda", links.join(format!("{line:032x}"))).tried(&what)?;
                    writeln!(content, "UUID={line:032x} /srv/{line} ext4 noatime,nofail 0 2")
                }
                1 => writeln!(content, "filer:/vol/{line} /nfs/{line} nfs ro,_netdev 0 0"),
                _ => writeln!(content, "/srv/{line}\t/home/{line}\tnone\tbind\t0 0"),
            };
        }
        let (seen, reports) = refusing();
        let machine = Machine { folder: folder.to_owned(), seen, reports, content };
        machine.reset()?;
        Ok(machine)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("etc/fstab")
    }

    fn reset(&self) -> Result<()> {
        fs::write(self.path(), &self.content).tried("write fstab")
    }

    fn sample(&self) -> Result<Sample> {
        self.reset()?;
        let mut done = None;
        let sample = measure::inside(&self.folder, || {
            let root = Root::machine().tried("open the root")?;
            Ok(measure::call(|| done = self.replace(&root)))
        })?;
        done.map(|_| sample).ok_or_else(|| Failure::new("fstab was not replaced"))
    }

    /// All that is measured.
    fn replace(&self, root: &Root) -> Option<Plan> {
        let mut seen = self.seen.clone();
        let table = fstab::read(root, &mut seen).ok()?;
        let plan = plan(&Situation {
            policy: &Policy::default(),
            seen: &seen,
            reports: &self.reports,
            fstab: &table.fstab,
            carriers: &table.carriers,
            lost: &table.lost,
            kernels: &table.kernels,
            mount_units: &table.mount_units,
        });
        let original = Original::read(root, FSTAB).ok()?;
        original.replace(plan.new_fstab.as_ref()?.to_bytes()).ok()?;
        Some(plan)
    }

    /// What is measured has to be what is meant.
    fn check(&self) -> Result<()> {
        let root = Root::at(self.folder.as_os_str().as_bytes()).tried("open the root")?;
        let changes = self.replace(&root).map_or(0, |plan| plan.fstab.len());
        let content = fs::read_to_string(self.path()).tried("read fstab")?;
        let marks = content.matches("# xvdguard: was noatime,nofail\n").count();
        match (changes, marks) == (LINES[0].div_ceil(3), LINES[0].div_ceil(3)) {
            true => Ok(()),
            false => Err(Failure::new(format!("{changes} changes, {marks} marks in fstab"))),
        }
    }
}

/// A disk that refuses flushes, on a kernel whose journals die of that.
fn refusing() -> (Observation, Vec<DiskReport>) {
    let number = DeviceNumber { major: 202, minor: 0 };
    let device = BlockDisk { number, is_blkfront: true, sectors: 16384, ..BlockDisk::default() };
    let disk = Disk { name: "xvda".into(), device: Some(device), ..Disk::default() };
    let mut report = DiskReport::new(&disk, None);
    report.verdict = FlushVerdict::Refused;
    let node = BlockDevice { name: "xvda".into(), number, ..BlockDevice::default() };
    let block = [node].into_iter().collect();
    (Observation { disks: vec![disk], block, ..Observation::default() }, vec![report])
}

fn usual(bench: &Bench) -> Result<Table> {
    let guest = Guest::new(bench, "usual", USUAL)?;
    let path = guest.root().join("etc/fstab");
    create_dir_all(guest.root().join("etc")).tried("make etc")?;
    fs::write(&path, FIVE_LINES).tried("write fstab")?;
    let run = |program: PathBuf, words: Vec<PathBuf>, code: i32| {
        move || -> Result<Sample> {
            let mut command: Command = bench.command(&program)?;
            command.args(&words);
            measure::process_ending(command, code)
        }
    };
    let words = ["plan".into(), "--root".into(), guest.root().into(), "--xenstore".into()];
    let ours = [&words[..], &[guest.socket().into()]].concat();
    let mut contest = Contest::of("`xvdguard plan`", run(bench.program("xvdguard"), ours, 0));
    if let Some(findmnt) = program::find("findmnt") {
        let words = vec!["--verify".into(), "--tab-file".into(), path];
        // 1: this machine has none of these disks.
        contest = contest.against("`findmnt --verify` of that fstab", run(findmnt, words, 1));
    }
    let queue = crate::rivals::Script::queue(bench)?;
    let contest = contest.against("sh, five times xenstore-read", || queue.run(bench, &guest));
    let outcomes = contest.run(ROUNDS)?;
    Ok(Table::of(&outcomes, &[Promise::at_most_ms(outcomes[0].wall, 10)]))
}
