//! The disks of a guest as sysfs and mountinfo show them, as far as a recording holds them.
//!
//! Every second disk has a partition, every eighth an LVM volume on it: that is where file systems
//! are. Every fourth mount has no disk; where mounts outnumber devices the rest are bind mounts.

use xvdguard_logic::vbd::name::disk_name;

/// A vbd and its disk.
#[derive(Debug, Clone)]
pub struct Disk {
    /// Its number in xenstore.
    pub vbd: u32,
    /// The kernel's name.
    pub name: String,
    index: usize,
}

const QUEUE: [(&str, &str); 12] = [
    ("write_cache", "write through\n"),
    ("fua", "0\n"),
    ("max_sectors_kb", "1280\n"),
    ("max_hw_sectors_kb", "2147483647\n"),
    ("read_ahead_kb", "128\n"),
    ("nr_requests", "64\n"),
    ("scheduler", "[none] mq-deadline\n"),
    ("nomerges", "0\n"),
    ("rq_affinity", "1\n"),
    ("wbt_lat_usec", "75000\n"),
    ("rotational", "0\n"),
    ("logical_block_size", "512\n"),
];

/// Numbers up to xvdp have 16 minors for each disk, those from xvdq on are extended
/// (xen-vbd-interface(7)).
const CLASSIC_DISKS: usize = 16;

impl Disk {
    /// The disk of that index, from 0 on.
    pub fn new(index: usize) -> Disk {
        let number = index as u32;
        let vbd =
            if index < CLASSIC_DISKS { 202 << 8 | number << 4 } else { 1 << 28 | number << 8 };
        Disk { vbd, name: disk_name(vbd).unwrap_or_default(), index }
    }

    fn block(&self) -> String {
        format!("sys/block/{}", self.name)
    }

    /// `major:minor`.
    fn number(&self) -> String {
        format!("202:{}", self.index * 256)
    }

    fn partition_number(&self) -> String {
        format!("202:{}", self.index * 256 + 1)
    }

    fn mapper_number(&self) -> String {
        format!("253:{}", self.index / 8)
    }

    fn has_partition(&self) -> bool {
        self.index % 2 == 0
    }

    fn has_mapper(&self) -> bool {
        self.index % 8 == 7
    }

    /// The folders that are empty in a recording.
    pub fn folders(&self) -> Vec<String> {
        let bus = format!("sys/bus/xen/devices/vbd-{}/block/{}", self.vbd, self.name);
        let slave = format!("sys/block/dm-{}/slaves/{}", self.index / 8, self.name);
        [vec![bus], vec![slave; usize::from(self.has_mapper())]].concat()
    }

    /// The files with their content.
    pub fn files(&self) -> Vec<(String, String)> {
        let block = self.block();
        let mut files = vec![
            (format!("{block}/dev"), format!("{}\n", self.number())),
            (format!("{block}/size"), "131072\n".to_owned()),
            (format!("{block}/ro"), "0\n".to_owned()),
            (format!("{block}/diskseq"), format!("{}\n", self.index + 1)),
        ];
        for (attribute, value) in QUEUE {
            files.push((format!("{block}/queue/{attribute}"), value.to_owned()));
        }
        if self.has_partition() {
            let dev = format!("{block}/{}1/dev", self.name);
            files.push((dev, format!("{}\n", self.partition_number())));
        }
        if self.has_mapper() {
            let mapper = format!("sys/block/dm-{}", self.index / 8);
            files.push((format!("{mapper}/dev"), format!("{}\n", self.mapper_number())));
            files.push((format!("{mapper}/dm/name"), format!("vg{}-data\n", self.index / 8)));
        }
        files
    }

    /// `max_sectors_kb` and `read_ahead_kb` as they are at first.
    pub fn limits(&self) -> [(String, &'static str); 2] {
        [QUEUE[2], QUEUE[4]].map(|(name, value)| (format!("{}/queue/{name}", self.block()), value))
    }

    /// The links: where and whereto. One says that blkfront drives it, the others lead from a
    /// number to its device; only lsblk asks for these.
    pub fn links(&self) -> Vec<(String, String)> {
        let (block, name) = (self.block(), &self.name);
        let driver = (format!("{block}/device/driver"), "../../../bus/xen/drivers/vbd".to_owned());
        let numbered = |number, device| (format!("sys/dev/block/{number}"), device);
        let mut links = vec![driver, numbered(self.number(), format!("../../block/{name}"))];
        if self.has_partition() {
            let device = format!("../../block/{name}/{name}1");
            links.push(numbered(self.partition_number(), device));
        }
        if self.has_mapper() {
            let device = format!("../../block/dm-{}", self.index / 8);
            links.push(numbered(self.mapper_number(), device));
        }
        links
    }

    /// The device that carries its file system: number and name.
    fn carrier(&self) -> (String, String) {
        if self.has_partition() {
            (self.partition_number(), format!("/dev/{}1", self.name))
        } else if self.has_mapper() {
            (self.mapper_number(), format!("/dev/mapper/vg{}-data", self.index / 8))
        } else {
            (self.number(), format!("/dev/{}", self.name))
        }
    }
}

/// So many mounts, on all the disks in turn.
pub fn mountinfo(disks: &[Disk], mounts: usize) -> String {
    let mut lines = String::new();
    for (index, disk) in disks.iter().cycle().take(mounts).enumerate() {
        let id = 20 + index;
        lines += &match index % 4 {
            3 => format!(
                "{id} 20 0:{id} / /run/containers/{index:04}/shm rw,nosuid,nodev shared:{id} - \
                 tmpfs shm rw,size=65536k\n"
            ),
            _ => {
                let (number, source) = disk.carrier();
                format!(
                    "{id} 20 {number} / /srv/customers/site\\040{index:04} rw,relatime \
                     shared:{id} - ext4 {source} rw,errors=remount-ro,data=ordered\n"
                )
            }
        };
    }
    lines
}
