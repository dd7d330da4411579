//! Block devices in `/sys/block`: what lies on what, and the queue of each xvd disk.

use std::collections::BTreeMap;

use xvdguard_logic::block::{BlockDevice, BlockTree, DeviceNumber};
use xvdguard_logic::disk::BlockDisk;
use xvdguard_logic::text::Text;

use super::vbds::Depth;
use crate::error::Result;
use crate::root::Root;

/// Where disks are listed.
pub const SYS_BLOCK: &[u8] = b"sys/block";

/// Queue attributes that decide something: all that early boot reads.
const QUEUE_DECISIVE: &[&str] = &["write_cache"];

/// Queue attributes that people and recordings want to see, and those that `[[queue]]` may set.
pub const QUEUE_ALL: &[&str] = &[
    "write_cache",
    "fua",
    "max_sectors_kb",
    "max_hw_sectors_kb",
    "read_ahead_kb",
    "nr_requests",
    "scheduler",
    "nomerges",
    "rq_affinity",
    "wbt_lat_usec",
    "rotational",
    "logical_block_size",
];

/// All block devices.
#[derive(Debug, Default)]
pub struct BlockDevices {
    /// What lies on what.
    pub tree: BlockTree,
    /// The disks that a vbd may have, by name.
    pub disks: BTreeMap<Text, BlockDisk>,
}

/// Reads `/sys/block`.
pub fn read(root: &Root, depth: Depth, oddities: &mut Vec<String>) -> BlockDevices {
    let mut devices = Vec::new();
    let mut disks = BTreeMap::new();
    let names = root.list(SYS_BLOCK).unwrap_or_else(|error| {
        oddities.push(format!("{error}; no block device is known"));
        Vec::new()
    });
    for name in names {
        let result = root.enter(&path(&name, "")).and_then(|folder| {
            if name.starts_with("xvd") {
                disks.insert(name.clone(), disk(&folder, depth)?);
            }
            devices.extend(tree(&folder, &name)?);
            Ok(())
        });
        if let Err(error) = result {
            oddities.push(format!("{error}, ignoring {name}"));
        }
    }
    BlockDevices { tree: devices.into_iter().collect(), disks }
}

/// Reads `queue/write_cache` again.
pub fn read_write_cache(
    root: &Root,
    name: &Text,
    device: &mut BlockDisk,
    oddities: &mut Vec<String>,
) {
    match root.read_text(&path(name, "/queue/write_cache")) {
        Ok(Some(value)) => {
            device.queue.insert("write_cache".into(), value);
        }
        Ok(None) => {}
        Err(error) => oddities.push(error.to_string()),
    }
}

/// `sys/block/NAME` and something below it. Names with `/` (cciss/c0d0) have `!` in sysfs already.
pub fn path(name: &Text, below: &str) -> Vec<u8> {
    [SYS_BLOCK, b"/", name.as_bytes(), below.as_bytes()].concat()
}

fn disk(folder: &Root, depth: Depth) -> Result<BlockDisk> {
    let number = |name: &[u8]| Ok(folder.read_text(name)?.and_then(|text| text.number()));
    let attributes = if depth == Depth::All { QUEUE_ALL } else { QUEUE_DECISIVE };
    let mut queue = BTreeMap::new();
    for attribute in attributes {
        if let Some(value) = folder.read_text(format!("queue/{attribute}").as_bytes())? {
            queue.insert(attribute.to_string(), value);
        }
    }
    let driver = folder.read_link(b"device/driver");
    Ok(BlockDisk {
        number: device_number(folder)?,
        is_blkfront: driver.is_some_and(|link| link.as_bytes().ends_with(b"/vbd")),
        read_only: number(b"ro")? == Some(1),
        sectors: number(b"size")?.unwrap_or(0),
        sequence: number(b"diskseq")?,
        queue,
    })
}

/// A disk and its partitions.
fn tree(folder: &Root, name: &Text) -> Result<Vec<BlockDevice>> {
    let mapper_name = folder.read_text(b"dm/name")?;
    let below = folder.list(b"slaves")?;
    let number = device_number(folder)?;
    let mut devices = vec![BlockDevice { name: name.clone(), number, below, mapper_name }];
    let is_partition = |part: &Text| part.as_bytes().starts_with(name.as_bytes());
    for part in folder.list(b".")?.into_iter().filter(is_partition) {
        let part_folder = folder.enter(part.as_bytes())?;
        let below = vec![name.clone()];
        let number = device_number(&part_folder)?;
        devices.push(BlockDevice { name: part, number, below, mapper_name: None });
    }
    Ok(devices)
}

fn device_number(folder: &Root) -> Result<DeviceNumber> {
    let text = folder.read(b"dev")?;
    DeviceNumber::parse(&text).ok_or_else(|| {
        crate::error::Error::content("read", folder.shown(b"dev"), "not major:minor")
    })
}
