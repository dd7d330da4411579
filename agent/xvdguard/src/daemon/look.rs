//! Keeping the small world up to date: each kind of news is looked at anew, nothing else.
//!
//! Counters are read in every turn. Everything is looked at again where records of the log were
//! lost, or where it says that the guest resumed.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::mem::take;
use std::time::{Duration, Instant};

use xvdguard_linux::observe::kernel_log::Records;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::observe::{self, Look};
use xvdguard_linux::recover::{place, records};
use xvdguard_linux::watch::errors::{self, ErrorEvents};
use xvdguard_linux::watch::{disks, domain, requests, volumes};
use xvdguard_linux::world::World as Places;
use xvdguard_linux::{clock, reports};
use xvdguard_logic::disk::Disk;
use xvdguard_logic::mountinfo::Mount;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::order;
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::world::{Hold, VolumeSeen, World};
use xvdguard_logic::text::Text;
use xvdguard_logic::volume::{self, Volume};

use super::host;
use super::sources::{News, Sources};

/// How long xenstore may take in a turn: one that hangs must not keep the daemon.
const XENSTORE: Duration = Duration::from_millis(500);

/// How long the disk that the records of boots lie on may take, once.
const RECORDS: Duration = Duration::from_secs(5);

/// What is looked with.
pub struct Eyes<'a> {
    places: &'a mut Places,
    lines: &'a mut Records,
    events: Option<&'a mut ErrorEvents>,
    /// What is not mounted any more, and waits for its disks, is only remembered.
    memory: &'a Memory,
}

impl<'a> Eyes<'a> {
    /// All that the daemon has.
    pub fn of(places: &'a mut Places, sources: &'a mut Sources, memory: &'a Memory) -> Eyes<'a> {
        let Sources { lines, errors, .. } = sources;
        Eyes { places, lines, events: errors.as_mut(), memory }
    }
}

/// Looks at everything for the first time.
pub fn begin(eyes: Eyes<'_>) -> World {
    let root = &eyes.places.root;
    let guard = records::read_in_time(root, Instant::now() + RECORDS);
    let mut world = World { init: domain::init(root), guard, ..World::default() };
    let news = News { world: true, requests: true, reports: true, ..News::default() };
    refresh(eyes, &mut world, news);
    world
}

/// Looks at what there is news of, and at the counters.
pub fn refresh(eyes: Eyes<'_>, world: &mut World, news: News) {
    let Eyes { places, lines, mut events, memory } = eyes;
    let deadline = Instant::now() + XENSTORE;
    let is_connected = news.tick && places.connect_again(deadline);
    let before = world.clocks();
    read_clocks(world);
    let has_jumped = world.clocks().has_jumped(before);
    let news = News { world: news.world || is_connected || has_jumped, ..news };
    let has_watch = host::has_news(places, deadline);
    let is_quiet = news.quiet && !news.world && !has_watch;
    // That the host holds is told as well.
    let is_peace = memory.is_at_peace();
    let may_differ = if is_quiet && is_peace && host::tells_of_hold(places, deadline) {
        false
    } else {
        let eyes = Eyes { places, lines, events: events.as_deref_mut(), memory };
        let is_new = look(eyes, world, News { xenstore: has_watch, ..news }, deadline);
        is_new || news.tick || !is_peace
    };
    volumes::count(&places.root, &world.seen, events.as_deref(), &mut world.volumes);
    look_at_disks(places, world, memory, may_differ);
    read_clocks(world);
    world.chance = RandomState::new().build_hasher().finish();
    keep_once(&mut world.seen.oddities);
}

/// Looks at what there is news of; whether disks may be others than before.
fn look(eyes: Eyes<'_>, world: &mut World, news: News, deadline: Instant) -> bool {
    let Eyes { places, lines, events, .. } = eyes;
    let (understood, gap) = (world.seen.log.understood, world.signs.gap);
    read_log(places, lines, world);
    // A line of blkfront or of a resume, or lines that nobody will ever see.
    let is_new = world.seen.log.understood != understood || world.signs.gap != gap;
    let must_look = news.world || is_new || news.xenstore;
    if must_look {
        look_at_all(places, world, deadline);
    } else if news.round {
        look_around(places, world, deadline);
    } else if news.mounts {
        look_at_mounts(places, world);
    }
    let something_happened = must_look || news.mounts;
    if something_happened || news.round {
        // Who has files open decides only while a volume waits for its disks, and then each of
        // their answers counts as something.
        let before = if something_happened { Vec::new() } else { take(&mut world.volumes) };
        world.volumes = standing(places, &world.seen, &before);
        follow(events, world);
    }
    if news.requests || news.tick || news.xenstore {
        world.releases.extend(requests::take_releases(&places.root));
        world.hold = hold(places, world, must_look, deadline);
    }
    if news.reports || news.world {
        world.reports = reports::read_all(&places.root, &mut world.seen.oddities);
    }
    something_happened
}

/// Counters of all disks; what they are only where they may differ, or where one is not there. A
/// line of the log is no reason to ask: whoever waits for the verdict of one disk would wait for
/// the answers of all.
fn look_at_disks(places: &Places, world: &mut World, memory: &Memory, may_differ: bool) {
    let names = disk_names(world, memory);
    let is_known = world.disks.iter().map(|disk| &disk.name).eq(names.iter());
    if may_differ || !is_known || !disks::count(&places.root, &mut world.disks) {
        world.disks = disks::read(&places.root, names.iter());
    }
}

/// All at one moment: what passes between them would look like a jump.
fn read_clocks(world: &mut World) {
    world.seen.boot_ms = clock::boot_ms();
    world.slept_ms = clock::slept_ms();
    world.wall_s = u64::try_from(clock::unix_ms() / 1000).unwrap_or(0);
}

/// What is odd may be so in each turn.
fn keep_once(oddities: &mut Vec<String>) {
    let mut known = BTreeSet::new();
    oddities.retain(|oddity| known.insert(oddity.clone()));
}

/// Facts and signs, each by a reader of its own: a look at everything reads facts as well, and no
/// sign may be lost to it.
fn read_log(places: &mut Places, lines: &mut Records, world: &mut World) {
    let signs = &mut world.signs;
    // In this order: only what the signs' reader has not read yet wakes the daemon.
    let read = [lines.drain(&mut |record| signs.take(record)), places.log.drain()];
    world
        .seen
        .oddities
        .extend(read.into_iter().filter_map(Result::err).map(|error| error.to_string()));
    if world.seen.log.understood != places.log.log().understood {
        places.log.keep_in_bounds();
        world.seen.log = places.log.log().clone();
    }
    world.seen.log.complete_since_ms = places.log.log().complete_since_ms;
}

fn look_at_all(places: &mut Places, world: &mut World, deadline: Instant) {
    // Never two of them at once: with hundreds of disks each takes a megabyte.
    world.seen = Observation::default();
    world.seen = places.observe(Look { depth: Depth::Kept, deadline });
    domain::update(&mut world.domain, &places.root, places.xenstore.as_mut(), deadline);
    world.guard.is_lasting = is_lasting(world);
    host::tells_of_vbds(places, world, deadline);
}

fn look_at_mounts(places: &mut Places, world: &mut World) {
    let mut oddities = Vec::new();
    world.seen.block = observe::block_devices::read_tree(&places.root, &mut oddities);
    world.seen.mounts = observe::mounts(&places.root, &mut oddities);
    world.seen.volumes = volume::volumes(&world.seen.mounts, &world.seen.block);
    world.seen.oddities.extend(oddities);
}

/// The same without a child, and so without queues, and without a question to whoever tells: each
/// would wake the daemon. Where a disk is not the same one, all is looked at.
fn look_around(places: &mut Places, world: &mut World, deadline: Instant) {
    let is_told = host::tells_of_vbds(places, world, deadline);
    let before = take(&mut world.seen).disks;
    let look = Look { depth: Depth::WithoutQueues, deadline };
    let mut seen = if is_told { places.observe_here(look) } else { places.observe(look) };
    let disks = seen.disks.iter_mut();
    let is_same = disks.len() == before.len()
        && disks.zip(before).all(|(disk, before)| keep_what_was_not_read(disk, before, is_told));
    if !is_same {
        return look_at_all(places, world, deadline);
    }
    world.seen = seen;
    world.guard.is_lasting = is_lasting(world);
}

/// Whether it is the same disk, and so what is known of it still holds.
fn keep_what_was_not_read(disk: &mut Disk, before: Disk, is_told: bool) -> bool {
    let id = |disk: &Disk| disk.vbd.as_ref().map(|vbd| vbd.id);
    let is_same_vbd = id(disk) == id(&before);
    if is_told {
        disk.vbd = before.vbd;
    }
    match (&mut disk.device, before.device) {
        (Some(device), Some(known)) => {
            device.queue = known.queue;
            let is_same_device = (device.number, device.sequence) == (known.number, known.sequence);
            is_same_vbd && is_same_device && !known.queue_is_silent
        }
        (device, known) => is_same_vbd && device.is_none() && known.is_none(),
    }
}

/// Only what lies on a virtual disk is watched.
fn standing(places: &Places, seen: &Observation, before: &[VolumeSeen]) -> Vec<VolumeSeen> {
    let vbds: BTreeSet<&Text> = order::gather(seen.disks.iter().map(|disk| &disk.name));
    let is_ours = |volume: &&Volume| volume.disks.iter().any(|disk| vbds.contains(disk));
    let ours: Vec<&Volume> = seen.volumes.iter().filter(is_ours).collect();
    volumes::standing(&places.root, seen, &ours, before)
}

fn follow(events: Option<&mut ErrorEvents>, world: &World) {
    let Some(events) = events else { return };
    let seen = &world.seen;
    let ours = world.volumes.iter().filter_map(|one| {
        let known = seen.volumes.iter().find(|volume| volume.device == one.device)?;
        errors::mount_of(&seen.mounts, known.device, known.mount_point.as_bytes())
    });
    events.follow(ours);
}

/// Every disk below a watched volume, mounted or remembered.
fn disk_names(world: &World, memory: &Memory) -> BTreeSet<Text> {
    let is_watched = |device| world.volumes.iter().any(|volume| volume.device == device);
    let mounted = world.seen.volumes.iter().filter(|volume| is_watched(volume.device));
    let mounted = mounted.flat_map(|volume| &volume.disks);
    let remembered = memory.volumes.iter().flat_map(|volume| &volume.disks);
    order::gather(mounted.chain(remembered).cloned())
}

/// Whoever holds: the host before a person of this guest, who may not know of the host's reasons.
/// To ask the host wakes the daemon once more: where a watch tells, only news are a reason.
fn hold(places: &mut Places, world: &mut World, asks: bool, deadline: Instant) -> Option<Hold> {
    let is_told = host::tells_of_hold(places, deadline);
    let host = if asks || !is_told {
        requests::host_hold(places.xenstore.as_mut(), deadline)
    } else {
        world.hold.take().filter(|hold| hold.by == requests::HOST)
    };
    // One that cannot be read holds nothing, but was meant to: the file says so itself.
    host.or_else(|| requests::hold(&places.root).ok().flatten())
}

/// Whether the guard's records lie on a virtual disk, by the mount that their folder is below.
fn is_lasting(world: &World) -> bool {
    let vbds: BTreeSet<&Text> = order::gather(world.seen.disks.iter().map(|disk| &disk.name));
    let Some(mount) = mount_of_records(world) else { return false };
    let volume =
        world.seen.volumes.iter().find(|volume| {
            volume.device == mount.device || volume.mount_point == mount.mount_point
        });
    volume.is_some_and(|volume| volume.disks.iter().any(|disk| vbds.contains(disk)))
}

/// The mount that `/var/lib/xvdguard` is below.
pub fn mount_of_records(world: &World) -> Option<&Mount> {
    let is_above = |mount: &&Mount| place::is_below(b"/var/lib/xvdguard", &mount.mount_point);
    let above = world.seen.mounts.iter().filter(is_above);
    above.max_by_key(|mount| mount.mount_point.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use xvdguard_linux::root::Root;
    use xvdguard_linux::world;
    use xvdguard_logic::disk::WriteCache;
    use xvdguard_logic::recovery::signs::SignKind;
    use xvdguard_logic::vbd::Vbd;

    /// A guest that is nothing but a kernel log of these records.
    fn guest(records: &str) -> (tempfile::TempDir, Places, Records) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("dev")).unwrap();
        std::fs::write(folder.path().join("dev/kmsg"), records).unwrap();
        let root = Root::at(folder.path().as_os_str().as_bytes()).unwrap();
        let here = world::Places { root: Some(folder.path().into()), ..world::Places::default() };
        let places = Places::open(&here, Instant::now() + XENSTORE).unwrap();
        (folder, places, Records::open(&root).unwrap())
    }

    /// A look at everything reads the log as well, and the line may come just before that.
    #[test]
    fn no_sign_is_lost_to_whoever_else_reads_the_log() {
        let records =
            "6,0,0,-;Linux version 5.10.0\n3,1,9000,-;Aborting journal on device xvda-8.\n";
        let (_folder, mut places, mut lines) = guest(records);
        places.observe(Look { depth: Depth::Kept, deadline: Instant::now() + XENSTORE });
        let (memory, mut world) = (Memory::default(), World::default());
        let eyes = Eyes { places: &mut places, lines: &mut lines, events: None, memory: &memory };
        refresh(eyes, &mut world, News::default());
        let kinds: Vec<SignKind> = world.signs.iter().map(|sign| sign.kind).collect();
        assert_eq!(kinds, [SignKind::Aborted]);
    }

    /// Else the first turn that reads them would take them for having jumped.
    #[test]
    fn the_clocks_are_read_in_the_first_turn() {
        let (_folder, mut places, mut lines) = guest("");
        let (memory, mut world) = (Memory::default(), World::default());
        let eyes = Eyes { places: &mut places, lines: &mut lines, events: None, memory: &memory };
        refresh(eyes, &mut world, News { world: true, ..News::default() });
        let before = world.clocks();
        assert!(world.wall_s > 1_700_000_000, "{}", world.wall_s);
        read_clocks(&mut world);
        assert!(!world.clocks().has_jumped(before));
    }

    /// A guest whose mounts cannot be read is looked at for months.
    #[test]
    fn what_is_odd_in_each_turn_is_kept_once() {
        let (_folder, mut places, mut lines) = guest("");
        let (memory, mut world) = (Memory::default(), World::default());
        let mut counts = Vec::new();
        for _ in 0..3 {
            let (places, lines) = (&mut places, &mut lines);
            let eyes = Eyes { places, lines, events: None, memory: &memory };
            refresh(eyes, &mut world, News { mounts: true, ..News::default() });
            counts.push(world.seen.oddities.len());
        }
        assert_eq!(counts, [1, 1, 1], "{:?}", world.seen.oddities);
    }

    /// To read one takes a child, which wakes the daemon three times.
    #[test]
    fn a_round_reads_the_queues_of_other_disks_alone() {
        let (folder, mut places, mut lines) = guest("");
        let write = |path: &str, text: &str| {
            let file = folder.path().join("sys/block/xvda").join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        let (memory, mut world) = (Memory::default(), World::default());
        let mut look = |news: News| {
            let (places, lines) = (&mut places, &mut lines);
            refresh(Eyes { places, lines, events: None, memory: &memory }, &mut world, news);
            let disk = &world.seen.disks[0];
            (disk.write_cache(), disk.device.as_ref().unwrap().sectors)
        };
        let round = News { round: true, ..News::default() };
        let (through, back) = (WriteCache::Through, WriteCache::Back);

        write("dev", "202:0\n");
        write("size", "8\n");
        write("diskseq", "1\n");
        write("queue/write_cache", "write back\n");
        assert_eq!(look(round), (back, 8), "a disk that nobody told of");
        write("queue/write_cache", "write through\n");
        write("size", "16\n");
        assert_eq!(look(round), (back, 16), "the same disk");
        write("diskseq", "2\n");
        assert_eq!(look(round), (through, 16), "another disk of that name");
        write("queue/write_cache", "write back\n");
        assert_eq!(look(News { world: true, ..News::default() }), (back, 16));
    }

    #[test]
    fn what_the_host_tells_is_kept_for_the_same_vbd_alone() {
        let disk = |id: Option<u32>, path: Option<&str>| Disk {
            vbd: id.map(|id| Vbd { id, backend_path: path.map(Text::from), ..Vbd::default() }),
            ..Disk::default()
        };
        let known = disk(Some(51712), Some("/b/51712"));
        let mut same = disk(Some(51712), None);
        assert!(keep_what_was_not_read(&mut same, known.clone(), true));
        assert_eq!(same, known);
        for mut other in [disk(Some(51728), None), disk(None, None)] {
            assert!(!keep_what_was_not_read(&mut other, known.clone(), true), "{other:?}");
        }
        let asked = disk(Some(51712), Some("/b/moved"));
        let mut read = asked.clone();
        assert!(keep_what_was_not_read(&mut read, known, false));
        assert_eq!(read, asked);
    }

    /// Whether records last in a guest with these mounts, whose `/dev/xvda` is a virtual disk.
    fn lasts(mountinfo: &str) -> bool {
        let (mounts, _) = xvdguard_logic::mountinfo::parse(mountinfo.as_bytes());
        let mut world = World::default();
        let disk = xvdguard_logic::disk::Disk { name: "xvda".into(), ..Default::default() };
        world.seen.disks.push(disk);
        world.seen.volumes = mounts
            .iter()
            .filter(|mount| mount.device.major == 202)
            .map(|mount| volume::Volume {
                device: mount.device,
                mount_point: mount.mount_point.clone(),
                fstype: mount.fstype.clone(),
                device_name: "xvda".into(),
                disks: vec!["xvda".into()],
            })
            .collect();
        world.seen.mounts = mounts;
        is_lasting(&world)
    }

    /// A root that is gone with the boot counts no reboots: a guest that is rebooted for ever.
    #[test]
    fn records_last_on_a_virtual_disk_alone() {
        let overlay = "21 1 0:20 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c\n";
        let root = "21 1 202:0 / / rw - ext4 /dev/xvda rw\n";
        let var = "30 21 202:0 / /var rw - ext4 /dev/xvda rw\n";
        let memory = "30 21 0:25 / /var/lib/xvdguard rw - tmpfs tmpfs rw\n";
        assert!(!lasts(overlay));
        assert!(lasts(root));
        assert!(lasts(&[overlay, var].concat()));
        assert!(!lasts(&[root, memory].concat()));
        assert!(!lasts(&[overlay, "30 21 202:0 / /srv rw - ext4 /dev/xvda rw\n"].concat()));
    }
}
