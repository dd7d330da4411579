//! Counters of disks: `/proc/diskstats` for all of them at once, `size` and `ro` of each.
//!
//! Neither takes a lock of the queue (block/genhd.c diskstats_show, disk_ro_show), so both answer
//! in the caller while a request hangs.

use std::collections::BTreeMap;

use xvdguard_logic::order;
use xvdguard_logic::recovery::world::DiskSeen;
use xvdguard_logic::text::Text;

use crate::root::Root;

/// All of the disks of these names; one that is not there is left out.
pub fn read<'a>(root: &Root, names: impl Iterator<Item = &'a Text>) -> Vec<DiskSeen> {
    let counters = counters(root);
    names.filter_map(|name| seen(root, name, counters.get(name)?)).collect()
}

/// Brings the counters up to date, and nothing else; whether every disk was there to be counted.
pub fn count(root: &Root, disks: &mut [DiskSeen]) -> bool {
    let counters = counters(root);
    disks.iter_mut().all(|disk| {
        let counted = counters.get(&disk.name);
        counted.inspect(|counted| counted.put_into(disk)).is_some()
    })
}

fn counters(root: &Root) -> BTreeMap<Text, Counters> {
    let stats = root.read(b"proc/diskstats").unwrap_or_default();
    order::gather(stats.split(|byte| *byte == b'\n').filter_map(line))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counters {
    completed: u64,
    written: u64,
    in_flight: u64,
}

impl Counters {
    fn put_into(&self, disk: &mut DiskSeen) {
        let Counters { completed, written, in_flight } = *self;
        (disk.completed, disk.written, disk.in_flight) = (completed, written, in_flight);
    }
}

fn seen(root: &Root, name: &Text, counters: &Counters) -> Option<DiskSeen> {
    let number = |attribute: &[u8]| {
        let path = [b"sys/block/", name.as_bytes(), attribute].concat();
        root.read_text(&path).ok()??.number()
    };
    let mut disk = DiskSeen {
        name: name.clone(),
        sectors: number(b"/size")?,
        read_only: number(b"/ro") == Some(1),
        ..DiskSeen::default()
    };
    counters.put_into(&mut disk);
    Some(disk)
}

/// Fields after number and name (Documentation/admin-guide/iostats.rst): the 1st, 5th, 12th and
/// 16th count what was completed (the 5th: writes), the 9th what is under way. Older kernels have
/// fewer.
fn line(line: &[u8]) -> Option<(Text, Counters)> {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).skip(2);
    let name = Text::from(words.next()?);
    let fields: Vec<u64> = words.map_while(|word| Text::from(word).number()).collect();
    let field = |number: usize| fields.get(number - 1).copied();
    let completed = [1, 5, 12, 16].into_iter().filter_map(field).fold(0, u64::wrapping_add);
    Some((name, Counters { completed, written: field(5)?, in_flight: field(9)? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn counters_alone_leave_the_rest_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        write(
            "proc/diskstats",
            "202 0 xvda 1 0 8 0 2 0 16 0 0 1 1\n202 16 xvdb 1 0 8 0 2 0 16 0 0 1 1\n",
        );
        for name in ["xvda", "xvdb"] {
            write(&format!("sys/block/{name}/size"), "64\n");
            write(&format!("sys/block/{name}/ro"), "0\n");
        }
        let names = ["xvda", "xvdb"].map(Text::from);
        let mut disks = read(&root, names.iter());
        let before = disks[1].clone();
        assert_eq!((before.sectors, before.completed, before.in_flight), (64, 3, 0));

        write("proc/diskstats", "202 16 xvdb 1 0 8 0 5 0 16 0 7 1 1\n");
        write("sys/block/xvdb/size", "8\n");
        assert!(!count(&root, &mut disks), "xvda is gone");
        assert!(count(&root, &mut disks[1..]));
        assert_eq!(disks[1], DiskSeen { completed: 6, written: 5, in_flight: 7, ..before });
    }

    #[test]
    fn lines_of_old_and_new_kernels_are_read() {
        // 6.1, 4.18 without flushes, 3.10 without discards.
        for (text, completed) in [
            ("202 0 xvda 2391 1054 120282 1028 905 771 60360 1403 2 1512 2575 7 0 0 0 5 9", 3308),
            ("202 0 xvda 2391 1054 120282 1028 905 771 60360 1403 2 1512 2575 7 0 0 0", 3303),
            (" 202       0 xvda 2391 1054 120282 1028 905 771 60360 1403 2 1512 2575", 3296),
        ] {
            let expected = Counters { completed, written: 905, in_flight: 2 };
            assert_eq!(line(text.as_bytes()), Some((Text::from("xvda"), expected)), "{text}");
        }
        assert_eq!(line(b"202 0 xvda 1 2"), None);
        assert_eq!(line(b""), None);
    }
}
