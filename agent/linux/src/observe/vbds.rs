//! The vbds of this guest, from `/sys/bus/xen/devices` and from xenstore.
//!
//! In xenstore always from `device/vbd/ID/backend` on: a guest may not list what lies above its
//! own backend directories.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use xvdguard_logic::disk::{BlockDisk, Disk};
use xvdguard_logic::order;
use xvdguard_logic::text::Text;
use xvdguard_logic::vbd::Vbd;
use xvdguard_logic::vbd::keys::{
    BACKEND_DECISIVE, BACKEND_FEATURES, BACKEND_MORE, FRONTEND_DECISIVE, FRONTEND_MORE,
};
use xvdguard_logic::vbd::name;

use crate::root::Root;
use crate::xenstore::{Answer, Request, Result, Source};

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What decides: for early boot, where every key costs.
    Decisive,
    /// The same, and no queue: to read one takes a child.
    WithoutQueues,
    /// What decides, with the limits that `[[queue]]` may set: for the daemon, which keeps it in
    /// memory.
    Kept,
    /// Everything that people and recordings want.
    All,
}

impl Depth {
    fn keys(self, decisive: &[&'static str], more: &[&'static str]) -> Vec<&'static str> {
        let more = if self == Depth::All { more } else { &[] };
        [decisive, more].concat()
    }
}

/// A vbd and the name of its block device.
#[derive(Debug, Default)]
pub struct NamedVbd {
    name: Option<Text>,
    vbd: Vbd,
}

/// Vbds by number.
pub type Vbds = BTreeMap<u32, NamedVbd>;

const DEVICES: &[u8] = b"sys/bus/xen/devices";

/// Questions of one wave at most: those about hundreds of disks would take megabytes at once.
const WAVE: usize = 512;

/// The vbds that the xen bus knows, each with the block device below it; or the one whose block
/// device has this name.
pub fn by_sysfs(root: &Root, only: Option<&Text>, oddities: &mut Vec<String>) -> Vbds {
    let names = root.list(DEVICES).unwrap_or_else(|error| {
        oddities.push(format!("{error}, ignoring"));
        Vec::new()
    });
    let mut vbds = Vbds::new();
    for entry in &names {
        let id = entry.as_str().and_then(|name| name.strip_prefix("vbd-"));
        let Some(id) = id.and_then(|id| id.parse().ok()) else { continue };
        let folder = [DEVICES, b"/", entry.as_bytes(), b"/block"].concat();
        let name = root.list(&folder).ok().and_then(|children| children.into_iter().next());
        if only.is_none() || name.as_ref() == only {
            vbds.insert(id, NamedVbd { name, vbd: Vbd { id, ..Vbd::default() } });
        }
    }
    vbds
}

/// The names of their block devices, as far as the xen bus tells them.
pub fn block_names(vbds: &Vbds) -> BTreeSet<Text> {
    order::gather(vbds.values().filter_map(|named| named.name.clone()))
}

fn conventional_name(id: u32, disks: &BTreeMap<Text, BlockDisk>) -> Option<Text> {
    name::disk_name(id).map(Text::from).filter(|name| disks.contains_key(name))
}

/// What came of one question.
enum Found {
    Answer(Answer),
    /// There is no such node.
    Missing,
    /// No answer, or none that could be used: nothing follows from it.
    Unknown,
}

/// Who asks xenstore, how long, and where it notes what could not be read.
pub struct Asker<'a> {
    /// What is asked.
    pub xenstore: &'a mut Source,
    /// When the answers must be there.
    pub deadline: Instant,
    /// Where failures are noted, each with its path.
    pub oddities: &'a mut Vec<String>,
}

impl Asker<'_> {
    /// Reads the keys of these vbds, and where others are wanted of those too that only xenstore
    /// knows: two waves of questions, three where there are such; more of them only where there
    /// are dozens of disks.
    pub fn read_keys(&mut self, vbds: &mut Vbds, and_others: bool, depth: Depth) {
        let list = and_others.then(|| Request::directory("device/vbd"));
        let known: Vec<u32> = vbds.keys().copied().collect();
        let listed = self.read_frontends(vbds, &known, list, depth);
        let new: Vec<u32> = listed.into_iter().filter(|id| !vbds.contains_key(id)).collect();
        if !new.is_empty() {
            let named = |id| NamedVbd { name: None, vbd: Vbd { id, ..Vbd::default() } };
            vbds.extend(new.iter().map(|id| (*id, named(*id))));
            self.read_frontends(vbds, &new, None, depth);
        }
        let keys = depth.keys(BACKEND_DECISIVE, BACKEND_MORE);
        self.read_backends(vbds.values_mut().map(|named| &mut named.vbd), &keys);
    }

    /// Reads again what a backend rewrites after a refusal.
    pub fn read_features<'v>(&mut self, vbds: impl Iterator<Item = &'v mut Vbd>) {
        self.read_backends(vbds, BACKEND_FEATURES);
    }

    /// Asks for the frontends' keys, and in the same wave for the numbers of all vbds.
    fn read_frontends(
        &mut self,
        vbds: &mut Vbds,
        ids: &[u32],
        list: Option<Request>,
        depth: Depth,
    ) -> Vec<u32> {
        let keys = [vec!["backend"], depth.keys(FRONTEND_DECISIVE, FRONTEND_MORE)].concat();
        let has_list = list.is_some();
        let mut requests: Vec<Request> = list.into_iter().collect();
        for id in ids {
            requests.extend(keys.iter().map(|key| Request::read(format!("device/vbd/{id}/{key}"))));
        }
        let mut answers = self.ask(&mut requests.into_iter()).into_iter();
        let listed = if has_list { answers.next() } else { None };
        for id in ids {
            let Some(named) = vbds.get_mut(id) else { continue };
            for key in &keys {
                match answers.next() {
                    Some(Found::Answer(Answer::Value(path))) if *key == "backend" => {
                        named.vbd.backend_path = Some(path);
                    }
                    Some(Found::Answer(Answer::Value(value))) => {
                        named.vbd.frontend.insert(key, value);
                    }
                    _ => {}
                }
            }
        }
        let Some(Found::Answer(Answer::Names(names))) = listed else { return Vec::new() };
        names.iter().filter_map(Text::number).filter_map(|id| u32::try_from(id).ok()).collect()
    }

    /// Key by key over all vbds, so that what decides is asked first where time is short.
    fn read_backends<'v>(&mut self, vbds: impl Iterator<Item = &'v mut Vbd>, keys: &[&str]) {
        let mut vbds: Vec<&mut Vbd> = vbds.filter(|vbd| vbd.backend_path.is_some()).collect();
        let paths: Vec<Text> = vbds.iter().filter_map(|vbd| vbd.backend_path.clone()).collect();
        let full = |path: &Text, key: &str| [path.as_bytes(), b"/", key.as_bytes()].concat();
        let requests = keys.iter().flat_map(|key| paths.iter().map(move |path| full(path, key)));
        let answers = self.ask(&mut requests.map(Request::read));
        vbds.iter_mut().for_each(|vbd| vbd.is_unread = false);
        for (key, answers) in keys.iter().zip(answers.chunks(vbds.len().max(1))) {
            for (vbd, answer) in vbds.iter_mut().zip(answers) {
                match answer {
                    Found::Answer(Answer::Value(value)) => vbd.backend.insert(key, value.clone()),
                    Found::Missing => vbd.backend.remove(key),
                    _ => vbd.is_unread |= BACKEND_FEATURES.contains(key),
                }
            }
        }
    }

    /// What fails is noted; the failure of a whole wave once.
    fn ask(&mut self, requests: &mut dyn Iterator<Item = Request>) -> Vec<Found> {
        let mut found = Vec::new();
        let mut has_broken = false;
        loop {
            let wave: Vec<Request> = requests.take(WAVE).collect();
            if wave.is_empty() {
                return found;
            }
            let answers = self.xenstore.fetch(&wave, self.deadline);
            for answer in answers {
                found.push(self.understand(answer, &mut has_broken));
            }
        }
    }

    fn understand(&mut self, answer: Result<Answer>, has_broken: &mut bool) -> Found {
        match answer {
            Ok(answer) => Found::Answer(answer),
            Err(error) if error.is_missing() => Found::Missing,
            Err(error) => {
                // A dead or silent server fails every question from then on.
                let breaks = error.is_timeout() || error.is_closed();
                if !(breaks && *has_broken) {
                    self.oddities.push(error.to_string());
                }
                *has_broken |= breaks;
                Found::Unknown
            }
        }
    }
}

/// Brings vbds and block devices together; an xvd disk without a vbd stays a disk.
pub fn into_disks(vbds: Vbds, mut devices: BTreeMap<Text, BlockDisk>) -> Vec<Disk> {
    let mut disks = Vec::new();
    for (id, named) in vbds {
        let name = named.name.or_else(|| conventional_name(id, &devices));
        let shown = name.clone().or_else(|| name::disk_name(id).map(Text::from));
        let shown = shown.unwrap_or_else(|| Text::from(format!("vbd-{id}")));
        let device = name.and_then(|name| devices.remove(&name));
        disks.push(Disk { name: shown, vbd: Some(named.vbd), device });
    }
    let orphans = devices.into_iter();
    disks.extend(orphans.map(|(name, device)| Disk { name, vbd: None, device: Some(device) }));
    order::sort_by(&mut disks, |one, other| one.name.cmp(&other.name));
    disks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xenstore::Listing;
    use std::time::Duration;
    use xvdguard_logic::vbd::advertised::Advertised;

    const HEAD: &str = "device/vbd/51712/backend = \"/b/51712\"\n/b/51712/mode = \"w\"\n";

    fn read(listing: &str, vbds: &mut Vbds) -> Vec<String> {
        let mut xenstore = Source::Listing(Listing::parse(listing.as_bytes(), None).unwrap());
        let mut oddities = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(1);
        Asker { xenstore: &mut xenstore, deadline, oddities: &mut oddities }.read_keys(
            vbds,
            true,
            Depth::Decisive,
        );
        oddities
    }

    #[test]
    fn a_vbd_that_only_xenstore_knows_is_found_with_its_keys() {
        let mut vbds = Vbds::new();
        let oddities = read(&format!("{HEAD}/b/51712/feature-barrier = \"1\"\n"), &mut vbds);
        assert_eq!(oddities, [] as [&str; 0]);
        assert_eq!(vbds[&51712].vbd.advertised(None), Some(Advertised::Barrier));
    }

    #[test]
    fn every_one_of_hundreds_of_vbds_gets_its_own_answers() {
        let ids = (0..300).map(|place| (1 << 28) | (place << 8));
        let listing: String = ids
            .clone()
            .map(|id| {
                format!("device/vbd/{id}/backend = \"/b/{id}\"\n/b/{id}/params = \"/dev/{id}\"\n")
            })
            .collect();
        let mut vbds = Vbds::new();
        assert_eq!(read(&listing, &mut vbds), [] as [&str; 0]);
        assert_eq!(vbds.len(), 300);
        for id in ids {
            let expected = Text::from(format!("/dev/{id}"));
            assert_eq!(vbds[&id].vbd.backend.text("params"), Some(&expected));
        }
    }

    #[test]
    fn one_vbd_is_looked_at_without_the_others() {
        let named = |name: &str| NamedVbd { name: Some(Text::from(name)), vbd: Vbd::default() };
        let mut vbds = Vbds::from([(51728, named("xvdb"))]);
        let listing = format!("{HEAD}device/vbd/51728/backend = \"/b/51728\"\n");
        let listing = format!("{listing}/b/51728/params = \"/dev/drbd0\"\n");
        let mut xenstore = Source::Listing(Listing::parse(listing.as_bytes(), None).unwrap());
        let deadline = Instant::now() + Duration::from_secs(1);
        Asker { xenstore: &mut xenstore, deadline, oddities: &mut Vec::new() }.read_keys(
            &mut vbds,
            false,
            Depth::Decisive,
        );
        assert_eq!(vbds.keys().collect::<Vec<_>>(), [&51728]);
        let params = Text::from("/dev/drbd0");
        assert_eq!(vbds[&51728].vbd.backend.text("params"), Some(&params));
    }

    #[test]
    fn a_key_that_may_not_be_read_is_unknown_and_a_missing_one_is_absent() {
        let mut vbds = Vbds::new();
        read(HEAD, &mut vbds);
        assert_eq!(vbds[&51712].vbd.advertised(None), Some(Advertised::Absent));
        let oddities = read(&format!("{HEAD}/b/51712/feature-flush-cache:\n"), &mut vbds);
        assert_eq!(vbds[&51712].vbd.advertised(None), None);
        assert!(oddities[0].contains("feature-flush-cache"), "{oddities:?}");
    }
}
