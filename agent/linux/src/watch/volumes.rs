//! What is known of mounted volumes besides mountinfo: error counters, and why one is only
//! reported.

use std::time::{Duration, Instant};

use xvdguard_logic::mountinfo::Mount;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::recovery::world::{Burden, VolumeSeen};
use xvdguard_logic::text::Text;
use xvdguard_logic::volume::Volume;

use super::errors::{self, ErrorEvents};
use crate::child::{self, Ending, Task};
use crate::recover::place;
use crate::root::Root;

/// How long the look at who has files open may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// What keeps the system together, by its name in `/proc/PID/comm`, which is cut at 15 bytes; only
/// where it is root's: everybody may call a process so (prctl(2), PR_SET_NAME).
const CORE: [&str; 4] = ["systemd-journal", "systemd-journald", "systemd-udevd", "udevd"];

/// Everything about these volumes that does not change with each error. Who has files open takes a
/// child to find out: where `before` knows that of each of them, it is not asked again.
pub fn standing(
    root: &Root,
    seen: &Observation,
    watched: &[&Volume],
    before: &[VolumeSeen],
) -> Vec<VolumeSeen> {
    let known = |volume: &Volume| {
        let before = before.iter().find(|one| one.device == volume.device);
        before.map(|one| one.holds_core_files)
    };
    let known: Option<Vec<bool>> = watched.iter().copied().map(known).collect();
    let with_core = known.unwrap_or_else(|| core_holds(root, watched));
    let volumes = watched.iter().zip(with_core);
    let seen = volumes.map(|(volume, holds_core_files)| VolumeSeen {
        device: volume.device,
        burdens: burdens(root, volume, seen),
        holds_core_files,
        ..VolumeSeen::default()
    });
    seen.collect()
}

/// Brings the counters up to date.
pub fn count(
    root: &Root,
    seen: &Observation,
    events: Option<&ErrorEvents>,
    into: &mut [VolumeSeen],
) {
    for volume in into {
        let Some(known) = seen.volumes.iter().find(|one| one.device == volume.device) else {
            continue;
        };
        volume.errors = error_count(root, known);
        let mount = errors::mount_of(&seen.mounts, known.device, known.mount_point.as_bytes());
        volume.error_events = match (events, mount) {
            (Some(events), Some(mount)) => events.of(mount.id),
            _ => 0,
        };
    }
}

/// `errors_count` of ext4 (3.4+), the sum of btrfs's counters (5.14+). xfs counts nothing.
fn error_count(root: &Root, volume: &Volume) -> Option<u64> {
    let number = |path: &[u8]| root.read_text(path).ok()??.number();
    match volume.fstype.as_bytes() {
        b"ext2" | b"ext3" | b"ext4" => {
            let name = volume.device_name.as_bytes();
            number(&[b"sys/fs/ext4/", name, b"/errors_count"].concat())
        }
        b"btrfs" => btrfs_count(root, volume),
        _ => None,
    }
}

/// `/sys/fs/btrfs/UUID/devinfo/N/error_stats`: a name and a number in each line. The folder of a
/// file system is the one that lists its device.
fn btrfs_count(root: &Root, volume: &Volume) -> Option<u64> {
    let base = root.enter(b"sys/fs/btrfs").ok()?;
    let device = volume.device_name.as_bytes();
    let names = base.names().ok()?;
    let folder = names
        .iter()
        .find(|uuid| base.stat(&[uuid.as_bytes(), b"/devices/", device].concat()).is_ok())?;
    let info = base.enter(&[folder.as_bytes(), b"/devinfo"].concat()).ok()?;
    let mut sum = None;
    for id in info.names().ok()? {
        let text = info.read_text(&[id.as_bytes(), b"/error_stats"].concat()).ok()??;
        let numbers = text.as_bytes().split(|byte| b" \n".contains(byte));
        let numbers = numbers.filter_map(|word| Text::from(word).number());
        sum = Some(sum.unwrap_or(0) + numbers.fold(0, u64::wrapping_add));
    }
    sum
}

fn burdens(root: &Root, volume: &Volume, seen: &Observation) -> Vec<Burden> {
    let mut burdens = Vec::new();
    let at = &volume.mount_point;
    if any_path(root, b"proc/fs/nfsd/exports", at) {
        burdens.push(Burden::Exported);
    }
    if is_snapshotted(root, volume) {
        burdens.push(Burden::Snapshotted);
    }
    if at != "/" && any_path(root, b"proc/swaps", at) {
        burdens.push(Burden::Swap);
    }
    if at != "/" && seen.mounts.iter().any(|mount| has_layers_on(mount, at)) {
        burdens.push(Burden::Containers);
    }
    burdens
}

/// Whether a line of the file begins with a path on the volume.
fn any_path(root: &Root, file: &[u8], mount_point: &Text) -> bool {
    let content = root.read(file).unwrap_or_default();
    content.split(|byte| *byte == b'\n').any(|line| {
        let path = line.split(|byte| b" \t".contains(byte)).next().unwrap_or_default();
        is_below(path, mount_point)
    })
}

/// Origin and snapshot of LVM lie on devices whose uuid ends in `-real` and `-cow`.
fn is_snapshotted(root: &Root, volume: &Volume) -> bool {
    let of = |name: &[u8], file: &[u8]| [b"sys/block/", name, file].concat();
    let below = root.list(&of(volume.device_name.as_bytes(), b"/slaves")).unwrap_or_default();
    below.iter().any(|name| {
        let uuid = root.read_text(&of(name.as_bytes(), b"/dm/uuid")).ok().flatten();
        uuid.is_some_and(|uuid| {
            uuid.as_bytes().ends_with(b"-real") || uuid.as_bytes().ends_with(b"-cow")
        })
    })
}

/// Layers of containers: an overlay whose directories are on the volume.
fn has_layers_on(mount: &Mount, mount_point: &Text) -> bool {
    let options = mount.super_options.as_bytes().split(|byte| *byte == b',');
    let folders = options.filter_map(|option| {
        let names: [&[u8]; 3] = [b"lowerdir=", b"upperdir=", b"workdir="];
        names.into_iter().find_map(|name| option.strip_prefix(name))
    });
    let mut folders = folders.flat_map(|folders| folders.split(|byte| *byte == b':'));
    mount.fstype == "overlay" && folders.any(|folder| is_below(folder, mount_point))
}

/// Everything is below root, which says nothing of root.
fn is_below(path: &[u8], mount_point: &Text) -> bool {
    (mount_point != "/" || path == b"/") && place::is_below(path, mount_point)
}

/// Of each volume, whether PID 1, journald, udevd or we ourselves have files of it open. Where the
/// look hangs, all of them: then nothing is unmounted.
fn core_holds(root: &Root, volumes: &[&Volume]) -> Vec<bool> {
    let ours = std::process::id();
    let task: Task<'_> = Box::new(|| in_child(root, volumes, ours));
    match child::run(task, Instant::now() + PATIENCE) {
        Ok(Ending::Answered(marks)) if marks.len() == volumes.len() + 1 => {
            marks[1..].iter().map(|mark| *mark == b'y').collect()
        }
        _ => vec![true; volumes.len()],
    }
}

/// A mark, then one for each volume: an empty answer would be none.
fn in_child(root: &Root, volumes: &[&Volume], ours: u32) -> Vec<u8> {
    let Ok(root) = root.reopen() else { return Vec::new() };
    let held: Vec<(u32, u32, Vec<u8>)> =
        core(&root, ours).iter().flat_map(|pid| files(&root, pid)).collect();
    let mut marks = vec![b'.'];
    for volume in volumes {
        let number = (volume.device.major, volume.device.minor);
        let is_held = held.iter().any(|(major, minor, path)| {
            let is_named = volume.mount_point != "/" && is_below(path, &volume.mount_point);
            (*major, *minor) == number || is_named
        });
        marks.push(if is_held { b'y' } else { b'n' });
    }
    marks
}

fn core(root: &Root, ours: u32) -> Vec<Text> {
    let always = [1, ours].map(|pid: u32| Text::from(pid.to_string()));
    let names = root.list(b"proc").unwrap_or_default();
    let pids = names.into_iter().filter(|pid| pid.number().is_some() && is_core(root, pid));
    always.into_iter().chain(pids).collect()
}

fn is_core(root: &Root, pid: &Text) -> bool {
    let folder = [b"proc/", pid.as_bytes()].concat();
    let name = root.read_text(&[&folder, &b"/comm"[..]].concat()).ok().flatten();
    let is_named = name.is_some_and(|name| CORE.iter().any(|core| name == *core));
    is_named && root.stat(&folder).is_ok_and(|stat| stat.st_uid == 0)
}

/// Device and path of every file that a process has open, mapped, or as its directory.
fn files(root: &Root, pid: &Text) -> Vec<(u32, u32, Vec<u8>)> {
    let folder = [b"proc/", pid.as_bytes()].concat();
    let Ok(folder) = root.enter(&folder) else { return Vec::new() };
    let open = folder.list(b"fd").unwrap_or_default();
    let open = open.into_iter().map(|name| [b"fd/", name.as_bytes()].concat());
    let fixed = [&b"cwd"[..], b"root", b"exe"].map(<[u8]>::to_vec);
    let mut found = Vec::new();
    for link in open.chain(fixed) {
        let Ok(stat) = folder.stat(&link) else { continue };
        let path = folder.read_link(&link).unwrap_or_default();
        let number = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
        found.push((number.0, number.1, path.as_bytes().to_vec()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::chown;

    #[test]
    fn a_name_makes_no_user_a_part_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::at(folder.path().as_os_str().as_bytes()).unwrap();
        for (pid, user) in [("17", 0), ("18", 1000)] {
            let of = folder.path().join("proc").join(pid);
            std::fs::create_dir_all(&of).unwrap();
            std::fs::write(of.join("comm"), "systemd-journal\n").unwrap();
            if chown(&of, Some(user), None).is_err() {
                println!("SKIPPED a_name_makes_no_user_a_part_of_the_system: chown needs root");
                return;
            }
        }
        assert_eq!(core(&root, 16), ["1", "16", "17"]);
    }
}
