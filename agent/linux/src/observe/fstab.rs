//! fstab with what its lines name, and what else decides how file systems are mounted: installed
//! kernels, `.mount` units.

use std::collections::{BTreeMap, HashMap};

use xvdguard_logic::block::{BlockDevice, BlockTree};
use xvdguard_logic::fstab::{Entry, Fstab};
use xvdguard_logic::kernel_version::KernelRelease;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::text::Text;

use crate::error::Result;
use crate::root::Root;
use crate::{installed_kernels, source};

/// Where fstab is.
pub const FSTAB: &[u8] = b"etc/fstab";

/// Where people and packages put units; those that a generator makes of fstab are elsewhere.
const UNITS: [&[u8]; 4] = [
    b"etc/systemd/system",
    b"usr/local/lib/systemd/system",
    b"usr/lib/systemd/system",
    b"lib/systemd/system",
];

/// fstab and what belongs to it.
#[derive(Debug)]
pub struct Table {
    /// The file; empty where there is none.
    pub fstab: Fstab,
    /// The block device of each line whose source was found, by its name.
    pub carriers: BTreeMap<usize, Text>,
    /// Why the source of a line was not found, where it should be a block device.
    pub lost: BTreeMap<usize, String>,
    /// Every kernel that may be booted next.
    pub kernels: Vec<KernelRelease>,
    /// The names of `.mount` units.
    pub mount_units: Vec<Text>,
}

/// Reads all of it. An error: fstab is there and cannot be read.
pub fn read(root: &Root, seen: &mut Observation) -> Result<Table> {
    let content = match root.read(FSTAB) {
        Ok(content) => content,
        Err(error) if error.is_missing() => Vec::new(),
        Err(error) => return Err(error),
    };
    let fstab = Fstab::parse(&content);
    let (carriers, lost) = find_sources(root, &fstab, &seen.block);
    let kernels = installed_kernels::read(root, &mut seen.oddities);
    Ok(Table { fstab, carriers, lost, kernels, mount_units: mount_units(root) })
}

/// Looks each word up once, however many lines have it.
fn find_sources(
    root: &Root,
    fstab: &Fstab,
    tree: &BlockTree,
) -> (BTreeMap<usize, Text>, BTreeMap<usize, String>) {
    let mut known: HashMap<&Text, std::result::Result<&BlockDevice, String>> = HashMap::new();
    let (mut carriers, mut lost) = (BTreeMap::new(), BTreeMap::new());
    for entry in fstab.entries().filter(|entry| is_for_a_block_device(entry)) {
        let find = || source::find_device(root, &entry.source, tree);
        let find = || find().map_err(|error| error.to_string());
        match known.entry(&entry.source).or_insert_with(find) {
            Ok(device) => drop(carriers.insert(entry.line, device.name.clone())),
            Err(why) => drop(lost.insert(entry.line, why.clone())),
        }
    }
    (carriers, lost)
}

/// A path or a tag, and not a folder to be shown a second time, nor the server of a network file
/// system.
fn is_for_a_block_device(entry: &Entry) -> bool {
    let source = entry.source.as_bytes();
    let is_tag = source.split(|byte| *byte == b'=').next().is_some_and(|tag| {
        [&b"UUID"[..], b"LABEL", b"PARTUUID", b"PARTLABEL", b"ID"].contains(&tag)
    });
    let is_path = source.starts_with(b"/") && !source.starts_with(b"//");
    let is_bound = || entry.options.has("bind") || entry.options.has("rbind");
    (is_tag || is_path) && !is_bound()
}

fn mount_units(root: &Root) -> Vec<Text> {
    let names = UNITS.iter().flat_map(|folder| root.list(folder).unwrap_or_default());
    names.filter(|name| name.as_bytes().ends_with(b".mount")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn only_what_should_be_a_block_device_is_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["etc/systemd/system", "dev", "lib/modules"] {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        std::fs::write(dir.path().join("etc/systemd/system/srv.mount"), "").unwrap();
        std::fs::write(dir.path().join("etc/systemd/system/srv.service"), "").unwrap();
        let fstab = "/dev/xvda / ext4 defaults 0 1\n\
            UUID=1 /b ext4 defaults 0 2\n\
            /srv /c none bind 0 0\n\
            //host/share /d cifs guest 0 0\n\
            tmpfs /tmp tmpfs rw 0 0\n\
            /dev/xvda /again ext4 ro 0 0\n";
        std::fs::write(dir.path().join("etc/fstab"), fstab).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let xvda = BlockDevice { name: "xvda".into(), ..BlockDevice::default() };
        let block = [xvda].into_iter().collect();
        let mut seen = Observation { block, ..Observation::default() };
        let table = read(&root, &mut seen).unwrap();
        let found: Vec<_> = table.carriers.iter().map(|(line, name)| (*line, name)).collect();
        assert_eq!(found, [(1, &"xvda".into()), (6, &"xvda".into())]);
        assert_eq!(table.lost.keys().collect::<Vec<_>>(), [&2]);
        assert_eq!(table.mount_units, ["srv.mount"]);
    }

    #[test]
    fn a_machine_without_fstab_has_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let table = read(&root, &mut Observation::default()).unwrap();
        assert_eq!(table.fstab.to_bytes(), b"");
    }
}
