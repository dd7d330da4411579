//! One observation of guests that grow: everything that a recording holds is read and understood.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use harness::failure::{Failure, Result, Tried};
use harness::program;
use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::world::World;

use crate::bench::Bench;
use crate::guest::{Guest, Size};
use crate::measure::{self, Contest, Outcome};
use crate::report::{Chapter, Promise, Table, grouped, ratio, time};

const SIZES: [Size; 5] = [
    Size { disks: 1, mounts: 1 },
    Size { disks: 10, mounts: 10 },
    Size { disks: 100, mounts: 100 },
    PROMISED,
    Size { disks: 1000, mounts: 1000 },
];
const PROMISED: Size = Size { disks: 256, mounts: 1000 };
const ROUNDS: usize = 31;
const SLOW_ROUNDS: usize = 7;
/// lsblk looks through all mounts for each device.
const LSBLK_DISKS: usize = 256;
/// Nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The library and the command.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let make = |size: Size| Guest::new(bench, &format!("{}-{}", size.disks, size.mounts), size);
    let guests = SIZES.into_iter().map(make).collect::<Result<Vec<Guest>>>()?;
    let mut chapter = Chapter::new(
        "Observation",
        "`World::observe`, a call in the library: procfs, sysfs, mountinfo and a saved listing of \
         xenstore, as `xvdguard record` saves them, on a tmpfs that is the machine. First what \
         decides, which is all that early boot looks at. The rival, *reading*, reads the same \
         files, each by `std::fs::read`, and understands nothing.",
    );
    chapter.add(library(&guests, Depth::Decisive)?);
    chapter.say("The same with everything that people and recordings want to see.");
    chapter.add(library(&guests, Depth::All)?);
    chapter.say(
        "`xvdguard status --json` of the same guests, a whole process: it also reads the kernel \
         log, judges every disk and prints it all. The rival, `lsblk --json` with the same root, \
         knows nothing of xenstore and of the kernel log; it is not asked about 1,000 disks, which \
         take it several seconds.",
    );
    chapter.add(command(bench, &guests)?);
    Ok(chapter)
}

fn library(guests: &[Guest], depth: Depth) -> Result<Table> {
    let columns = ["guest", "files", "wall", "fastest", "CPU", "wall of a disk", "reading"];
    let mut table = Table::new(&[&columns[..], &["ours ÷ reading"]].concat());
    for guest in guests {
        let outcomes = measure::inside(guest.root(), || observe(guest, depth))?;
        let [ours, rival] = &outcomes[..] else { continue };
        let each = ours.wall / guest.size.disks as u32;
        let times = [ours.wall, ours.fastest, ours.cpu, each, rival.wall].map(time);
        let files = grouped(guest.files(depth).len() as u64);
        let cells = [vec![guest.size.to_string(), files], times.to_vec()].concat();
        let cells = [cells, vec![ratio(1.0 / rival.ratio)]].concat();
        let is_promised = guest.size == PROMISED && depth == Depth::Decisive;
        table.row(&cells, Promise::at_most_ms(ours.wall, 10).filter(|_| is_promised));
    }
    Ok(table)
}

fn observe(guest: &Guest, depth: Depth) -> Result<Vec<Outcome>> {
    let deadline = Instant::now() + PATIENCE;
    let look = Look { depth, deadline };
    let mut world = World::open(&guest.itself(), deadline).tried("open the world")?;
    let seen = world.observe(look);
    let whole = seen.disks.iter().filter(|disk| disk.vbd.is_some() && disk.device.is_some());
    same(guest, whole.count(), "observation")?;
    if !seen.oddities.is_empty() || seen.volumes.is_empty() {
        return Err(Failure::new(format!("the observation is not whole: {:?}", seen.oddities)));
    }
    let inside =
        |file: &Path| file.strip_prefix(guest.root()).map(|file| Path::new("/").join(file));
    let files =
        guest.files(depth).into_iter().map(inside).collect::<std::result::Result<Vec<_>, _>>();
    let files = files.tried("find the files of a guest")?;
    let read_all = || files.iter().map(|file| fs::read(file).map_or(0, |bytes| bytes.len())).sum();
    Contest::of("observation", || Ok(measure::call(|| world.observe(look))))
        .against("reading", || Ok(measure::call::<usize>(read_all)))
        .run(ROUNDS)
}

fn command(bench: &Bench, guests: &[Guest]) -> Result<Table> {
    let columns = ["guest", "wall", "fastest", "CPU", "peak memory", "lsblk", "ratio"];
    let mut table = Table::new(&columns);
    for guest in guests {
        let outcomes = contest(bench, guest)?;
        let [ours, rivals @ ..] = &outcomes[..] else { continue };
        let peak_kib = measure::peak_kib(&status(bench, guest)?)?;
        let times = [ours.wall, ours.fastest, ours.cpu].map(time);
        let peak = format!("{:.1} MB", peak_kib as f64 * 1024.0 / 1e6);
        let rival = rivals.first().map(|rival| vec![time(rival.wall), ratio(rival.ratio)]);
        let rival = rival.unwrap_or_else(|| vec![String::new(); 2]);
        table
            .row(&[vec![guest.size.to_string()], times.to_vec(), vec![peak], rival].concat(), None);
    }
    Ok(table)
}

fn contest(bench: &Bench, guest: &Guest) -> Result<Vec<Outcome>> {
    let status = || status(bench, guest).and_then(measure::process);
    status()?;
    same(guest, said(bench).matches("\"verdict\":").count(), "xvdguard status")?;
    let contest = Contest::of("status", status);
    if guest.size.disks > LSBLK_DISKS {
        return contest.run(SLOW_ROUNDS);
    }
    let lsblk = program::find("lsblk").ok_or_else(|| Failure::new("needs the program lsblk"))?;
    let list = || list(bench, &lsblk, guest).and_then(measure::process);
    list()?;
    same(guest, said(bench).matches("\"type\": \"disk\"").count(), "lsblk")?;
    contest.against("lsblk", list).run(SLOW_ROUNDS)
}

fn status(bench: &Bench, guest: &Guest) -> Result<Command> {
    let mut command = bench.command(&bench.program("xvdguard"))?;
    command.args(["status", "--json", "--root"]).arg(guest.root());
    command.arg("--xenstore").arg(guest.listing());
    Ok(command)
}

fn list(bench: &Bench, lsblk: &Path, guest: &Guest) -> Result<Command> {
    let mut command = bench.command(lsblk)?;
    command.args(["--json", "--sysroot"]).arg(guest.root());
    Ok(command)
}

/// What the last command printed.
fn said(bench: &Bench) -> String {
    fs::read_to_string(bench.output()).unwrap_or_default()
}

/// Who sees fewer disks does less work.
fn same(guest: &Guest, seen: usize, who: &str) -> Result<()> {
    let disks = guest.size.disks;
    if seen == disks {
        return Ok(());
    }
    Err(Failure::new(format!("{who} has seen {seen} of {disks} disks")))
}
