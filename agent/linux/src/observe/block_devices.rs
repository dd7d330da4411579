//! Block devices in `/sys/block`: what lies on what, and the queue of each xvd disk.

use std::collections::{BTreeMap, BTreeSet};

use xvdguard_logic::block::{BlockDevice, BlockTree, DeviceNumber};
use xvdguard_logic::disk::BlockDisk;
use xvdguard_logic::text::Text;

use super::queues;
use super::vbds::Depth;
use crate::error::Result;
use crate::root::Root;

/// Where disks are listed.
pub const SYS_BLOCK: &[u8] = b"sys/block";

/// Queue attributes that decide something: all that early boot reads.
const QUEUE_DECISIVE: &[&str] = &["write_cache"];

/// Queue attributes that `[[queue]]` may set, too; then those that only people and recordings want
/// to see.
pub const QUEUE_ALL: &[&str] = &[
    "write_cache",
    "max_sectors_kb",
    "read_ahead_kb",
    "nr_requests",
    "scheduler",
    "nomerges",
    "rq_affinity",
    "wbt_lat_usec",
    "rotational",
    "fua",
    "max_hw_sectors_kb",
    "logical_block_size",
];
const KEPT: usize = 9;

/// All block devices.
#[derive(Debug, Default)]
pub struct BlockDevices {
    /// What lies on what.
    pub tree: BlockTree,
    /// The disks that a vbd may have, by name.
    pub disks: BTreeMap<Text, BlockDisk>,
}

/// Reads `/sys/block`. A vbd may have a disk of any name (blkfront of old kernels takes those of
/// IDE and SCSI disks): those that the xen bus names, and every xvd.
pub fn read(
    root: &Root,
    vbds: &BTreeSet<Text>,
    depth: Depth,
    oddities: &mut Vec<String>,
) -> BlockDevices {
    let mut devices = Vec::new();
    let mut disks = BTreeMap::new();
    let names = root.list(SYS_BLOCK).unwrap_or_else(|error| {
        oddities.push(format!("{error}; no block device is known"));
        Vec::new()
    });
    for name in names {
        let result = root.enter(&path(&name, "")).and_then(|folder| {
            let number = device_number(&folder, b"dev")?;
            if name.starts_with("xvd") || vbds.contains(&name) {
                disks.insert(name.clone(), disk(&folder, number)?);
            }
            devices.extend(tree(&folder, &name, number)?);
            Ok(())
        });
        if let Err(error) = result {
            oddities.push(format!("{error}, ignoring {name}"));
        }
    }
    let attributes = match depth {
        Depth::Decisive => QUEUE_DECISIVE,
        Depth::WithoutQueues => &[],
        Depth::Kept => &QUEUE_ALL[..KEPT],
        Depth::All => QUEUE_ALL,
    };
    queues::read_devices(root, &mut disks, attributes, oddities);
    BlockDevices { tree: devices.into_iter().collect(), disks }
}

/// Reads what lies on what, and no queue: that answers even while a disk hangs.
pub fn read_tree(root: &Root, oddities: &mut Vec<String>) -> BlockTree {
    let names = root.list(SYS_BLOCK).unwrap_or_else(|error| {
        oddities.push(format!("{error}; no block device is known"));
        Vec::new()
    });
    let mut devices = Vec::new();
    for name in names {
        let found = root
            .enter(&path(&name, ""))
            .and_then(|folder| tree(&folder, &name, device_number(&folder, b"dev")?));
        match found {
            Ok(found) => devices.extend(found),
            Err(error) => oddities.push(format!("{error}, ignoring {name}")),
        }
    }
    devices.into_iter().collect()
}

/// `sys/block/NAME` and something below it. Names with `/` (cciss/c0d0) have `!` in sysfs already.
pub fn path(name: &Text, below: &str) -> Vec<u8> {
    [SYS_BLOCK, b"/", name.as_bytes(), below.as_bytes()].concat()
}

fn disk(folder: &Root, number: DeviceNumber) -> Result<BlockDisk> {
    let count = |name: &[u8]| Ok(folder.read_text(name)?.and_then(|text| text.number()));
    let driver = folder.read_link(b"device/driver");
    Ok(BlockDisk {
        number,
        is_blkfront: driver.is_some_and(|link| link.as_bytes().ends_with(b"/vbd")),
        read_only: count(b"ro")? == Some(1),
        sectors: count(b"size")?.unwrap_or(0),
        sequence: count(b"diskseq")?,
        ..BlockDisk::default()
    })
}

/// A disk and its partitions.
fn tree(folder: &Root, name: &Text, number: DeviceNumber) -> Result<Vec<BlockDevice>> {
    let entries = folder.names()?;
    let has = |entry: &str| entries.binary_search(&Text::from(entry)).is_ok();
    let mapper_name = if has("dm") { folder.read_text(b"dm/name")? } else { None };
    let below = if has("slaves") { folder.list(b"slaves")? } else { Vec::new() };
    let mut devices = vec![BlockDevice { name: name.clone(), number, below, mapper_name }];
    let is_partition = |part: &Text| part.as_bytes().starts_with(name.as_bytes());
    for part in entries.into_iter().filter(is_partition) {
        let number = device_number(folder, &[part.as_bytes(), b"/dev"].concat())?;
        let below = vec![name.clone()];
        devices.push(BlockDevice { name: part, number, below, mapper_name: None });
    }
    Ok(devices)
}

fn device_number(folder: &Root, path: &[u8]) -> Result<DeviceNumber> {
    let text = folder.read_value(path)?;
    DeviceNumber::parse(&text)
        .ok_or_else(|| crate::error::Error::content("read", folder.shown(path), "not major:minor"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn whoever_keeps_a_look_has_every_limit_that_may_be_set() {
        for attribute in xvdguard_logic::policy::queue::QueueAttribute::ALL {
            assert!(QUEUE_ALL[..KEPT].contains(&attribute.name()), "{attribute}");
        }
    }

    #[test]
    fn partitions_and_what_lies_on_them_are_found_with_few_or_many_files() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = dir.path().join("sys/block").join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("xvda/dev", "202:0\n");
        write("xvda/size", "16\n");
        write("xvda/queue/write_cache", "write back\n");
        write("xvda/xvda1/dev", "202:1\n");
        write("dm-0/dev", "253:0\n");
        write("dm-0/dm/name", "vg0-root\n");
        write("dm-0/slaves/xvda1/dev", "202:1\n");
        write("sr0/size", "0\n");
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let mut oddities = Vec::new();
        let found = read(&root, &BTreeSet::new(), Depth::Decisive, &mut oddities);
        assert!(oddities[0].contains("sr0/dev") && oddities.len() == 1, "{oddities:?}");
        assert_eq!(read_tree(&root, &mut oddities), found.tree);
        let number = |minor| DeviceNumber { major: 202, minor };
        assert_eq!(found.tree.by_number(number(1)).unwrap().below, [Text::from("xvda")]);
        let mapped = found.tree.by_mapper_name(&"vg0-root".into()).unwrap();
        assert_eq!(found.tree.bottom(&mapped.name), [Text::from("xvda")]);
        let disk = &found.disks[&Text::from("xvda")];
        assert_eq!((disk.number, disk.sectors), (number(0), 16));
        assert_eq!(disk.queue["write_cache"], "write back");
    }
}
