//! From a vbd's number to the name that Linux gives its disk.
//!
//! Used only where sysfs does not tell (a saved listing): the rules of xlvbd_alloc_gendisk
//! (drivers/block/xen-blkfront.c) and of the manual page xen-vbd-interface(7).

use alloc::format;
use alloc::string::String;

/// Numbers with this bit set use 8 bits for the partition.
const EXTENDED: u32 = 1 << 28;

/// `51712` → `xvda`, `51714` → `xvda2`; `None` for numbers of no known scheme.
pub fn disk_name(id: u32) -> Option<String> {
    let (disk, partition) = if id & EXTENDED != 0 {
        ((id & !EXTENDED) >> 8, id & 0xff)
    } else {
        match id >> 8 {
            202 => ((id & 0xff) >> 4, id & 0xf),
            8 => ((id & 0xff) >> 4, id & 0xf),
            3 => ((id & 0xff) >> 6, id & 0x3f),
            22 => (((id & 0xff) >> 6) + 2, id & 0x3f),
            _ => return None,
        }
    };
    let letters = letters(disk);
    Some(if partition == 0 { format!("xvd{letters}") } else { format!("xvd{letters}{partition}") })
}

/// 0 → `a`, 25 → `z`, 26 → `aa`.
fn letters(disk: u32) -> String {
    let last = char::from(b'a' + (disk % 26) as u8);
    match disk / 26 {
        0 => String::from(last),
        higher => format!("{}{last}", letters(higher - 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_names_as_in_blkfront() {
        for (id, expected) in [
            (51712, Some("xvda")),
            (51714, Some("xvda2")),
            (51728, Some("xvdb")),
            (EXTENDED | 26 << 8, Some("xvdaa")),
            (EXTENDED | 16 << 8 | 3, Some("xvdq3")),
            (2048, Some("xvda")),
            (768, Some("xvda")),
            (5632, Some("xvdc")),
            (1, None),
        ] {
            assert_eq!(disk_name(id).as_deref(), expected, "{id}");
        }
    }
}
