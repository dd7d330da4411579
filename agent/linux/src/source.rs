//! What the first field of fstab names, or `root=`: the block device and the disks below it.
//!
//! Tags go through the links that udev made, as mount(8) resolves them first (util-linux
//! libblkid/src/evaluate.c). Nodes are looked at by stat(2) alone: never opens a device, never
//! searches one for a label. What cannot be found is an error that says where it was looked for.

use rustix::fs::{FileType, major, minor};
use xvdguard_logic::block::{BlockDevice, BlockTree, DeviceNumber};
use xvdguard_logic::text::Text;

use crate::error::{Error, Result};
use crate::root::Root;

/// The block device that carries a file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carrier {
    /// Its node, as a path below the root.
    pub node: Text,
    /// Its number.
    pub device: DeviceNumber,
    /// The kernel's name of it.
    pub name: Text,
    /// Names of the disks at the bottom.
    pub disks: Vec<Text>,
}

/// Tags, and the folder below `/dev/disk` where udev links their values (fstab(5)).
const TAGS: [(&[u8], &[u8]); 5] = [
    (b"UUID=", b"by-uuid"),
    (b"LABEL=", b"by-label"),
    (b"PARTUUID=", b"by-partuuid"),
    (b"PARTLABEL=", b"by-partlabel"),
    (b"ID=", b"by-id"),
];

/// Finds what the first field of fstab names, with its escapes undone.
pub fn find(root: &Root, word: &Text, tree: &BlockTree) -> Result<Carrier> {
    look_up(root, word, tree).map(|(node, device)| carrier(&node, device, tree))
}

/// The same, and no more than which device it is.
pub fn find_device<'a>(root: &Root, word: &Text, tree: &'a BlockTree) -> Result<&'a BlockDevice> {
    look_up(root, word, tree).map(|(_, device)| device)
}

fn look_up<'a>(
    root: &Root,
    word: &Text,
    tree: &'a BlockTree,
) -> Result<(Vec<u8>, &'a BlockDevice)> {
    let node = node(word.as_bytes()).ok_or_else(|| {
        Error::content("find a block device by", word.clone(), "neither a path nor a known tag")
    })?;
    let found = match root.stat(&node) {
        Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice => {
            let number = DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) };
            tree.by_number(number).ok_or_else(|| format!("{number} is not in /sys/block"))
        }
        Ok(_) => Err(format!("{} is no block device", root.shown(&node))),
        // A recording has no nodes, but their names.
        Err(error) if error.is_missing() => by_name(&node, tree).ok_or_else(|| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let device =
        found.map_err(|why| Error::content("find a block device by", word.clone(), why))?;
    Ok((node, device))
}

/// Finds what `root=` names: the same words, numbers as the kernel takes them, and the prefix of
/// dracut.cmdline(7).
pub fn find_root(root: &Root, word: &Text, tree: &BlockTree) -> Result<Carrier> {
    let bytes = word.as_bytes();
    let bytes = bytes.strip_prefix(b"block:").unwrap_or(bytes);
    match DeviceNumber::parse(bytes).and_then(|number| tree.by_number(number)) {
        Some(device) => Ok(carrier(&in_dev(device), device, tree)),
        None => find(root, &Text::from(bytes), tree),
    }
}

fn carrier(node: &[u8], device: &BlockDevice, tree: &BlockTree) -> Carrier {
    Carrier {
        node: Text::from(node),
        device: device.number,
        name: device.name.clone(),
        disks: tree.bottom(&device.name),
    }
}

/// The path, below the root, that a word stands for.
fn node(word: &[u8]) -> Option<Vec<u8>> {
    for (tag, folder) in TAGS {
        if let Some(value) = word.strip_prefix(tag) {
            let name = link_name(unquoted(value)?);
            return Some([b"dev/disk/", folder, b"/", &name].concat());
        }
    }
    word.strip_prefix(b"/").filter(|path| !path.is_empty()).map(<[u8]>::to_vec)
}

/// A value may stand in quotes of either kind (libblkid/src/tag.c blkid_parse_tag_string).
fn unquoted(value: &[u8]) -> Option<&[u8]> {
    let value = match value {
        [quote @ (b'"' | b'\''), rest @ ..] => {
            &rest[..rest.iter().rposition(|byte| byte == quote)?]
        }
        plain => plain,
    };
    (!value.is_empty()).then_some(value)
}

/// How udev names the link: `\xNN` for all but letters, digits, a few signs and whole characters
/// of UTF-8 (libblkid/src/encode.c blkid_encode_string).
fn link_name(value: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(value.len());
    let escape = |byte: &u8| format!("\\x{byte:02x}").into_bytes();
    for chunk in value.utf8_chunks() {
        for character in chunk.valid().chars() {
            if !character.is_ascii() || is_plain(character) {
                name.extend(character.encode_utf8(&mut [0; 4]).bytes());
            } else {
                name.extend(escape(&(character as u8)));
            }
        }
        name.extend(chunk.invalid().iter().flat_map(escape));
    }
    name
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "#+-.:=@_".contains(character)
}

/// The device that has this node where all nodes are: devtmpfs names them as the kernel does, with
/// `!` for `/`; libdevmapper by its own name below `mapper`, which for a logical volume is the
/// group's and its own with their hyphens doubled (lvm(8)).
fn by_name<'a>(node: &[u8], tree: &'a BlockTree) -> Option<&'a BlockDevice> {
    let name = node.strip_prefix(b"dev/")?;
    if let Some(mapped) = name.strip_prefix(b"mapper/") {
        return tree.by_mapper_name(&Text::from(mapped));
    }
    let kernel_name: Vec<u8> = replaced(name, b'/', b"!");
    tree.by_name(&Text::from(kernel_name)).or_else(|| {
        let slash = name.iter().position(|byte| *byte == b'/')?;
        let [group, volume] = [&name[..slash], &name[slash + 1..]];
        let [group, volume] = [group, volume].map(|part| replaced(part, b'-', b"--"));
        tree.by_mapper_name(&Text::from([group, volume].join(&b'-')))
    })
}

fn replaced(text: &[u8], byte: u8, by: &[u8]) -> Vec<u8> {
    text.split(|one| *one == byte).collect::<Vec<_>>().join(by)
}

/// The node that devtmpfs makes.
fn in_dev(device: &BlockDevice) -> Vec<u8> {
    [b"dev/", &replaced(device.name.as_bytes(), b'!', b"/")[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    #[test]
    fn words_stand_for_paths_as_mount_takes_them() {
        for (word, expected) in [
            ("/dev/xvda2", Some("dev/xvda2")),
            ("/srv/../dev/x y", Some("srv/../dev/x y")),
            ("UUID=12-ab", Some("dev/disk/by-uuid/12-ab")),
            ("UUID=\"12-ab\"", Some("dev/disk/by-uuid/12-ab")),
            ("LABEL='my root'", Some("dev/disk/by-label/my\\x20root")),
            ("LABEL=a/b\\c\"ü", Some("dev/disk/by-label/a\\x2fb\\x5cc\\x22ü")),
            ("PARTUUID=1", Some("dev/disk/by-partuuid/1")),
            ("PARTLABEL=EFI system", Some("dev/disk/by-partlabel/EFI\\x20system")),
            ("ID=scsi-1", Some("dev/disk/by-id/scsi-1")),
            ("LABEL=\"open", None),
            ("UUID=", None),
            ("uuid=1", None),
            ("nfs:server:/x", None),
            ("tmpfs", None),
            ("/", None),
            ("", None),
        ] {
            let node = node(word.as_bytes()).map(Text::from);
            assert_eq!(node, expected.map(Text::from), "{word}");
        }
        assert_eq!(link_name(b"a\xffb"), b"a\\xffb");
    }

    fn tree() -> BlockTree {
        let device = |name: &str, number, below: &[&str], mapper: Option<&str>| BlockDevice {
            name: Text::from(name),
            number,
            below: below.iter().map(|name| Text::from(*name)).collect(),
            mapper_name: mapper.map(Text::from),
        };
        let number = |major, minor| DeviceNumber { major, minor };
        BlockTree::from_iter([
            device("xvda", number(202, 0), &[], None),
            device("xvda1", number(202, 1), &["xvda"], None),
            device("cciss!c0d0", number(104, 0), &[], None),
            device("dm-0", number(253, 0), &["xvda1", "cciss!c0d0"], Some("my--vg-root")),
        ])
    }

    fn names(found: Result<Carrier>) -> (String, Vec<String>) {
        let found = found.unwrap();
        (found.name.to_string(), found.disks.iter().map(Text::to_string).collect())
    }

    fn sample(at: &Path) -> Root {
        std::fs::create_dir_all(at.join("dev/disk/by-label")).unwrap();
        std::fs::create_dir_all(at.join("dev/mapper")).unwrap();
        std::fs::write(at.join("dev/plain"), "").unwrap();
        symlink("../../xvda1", at.join("dev/disk/by-label/my\\x20root")).unwrap();
        Root::at(at.as_os_str().as_bytes()).unwrap()
    }

    #[test]
    fn names_do_where_there_are_no_nodes() {
        let dir = tempfile::tempdir().unwrap();
        let root = sample(dir.path());
        let find = |word: &str| find(&root, &Text::from(word), &tree());
        assert_eq!(names(find("/dev/xvda1")), ("xvda1".into(), vec!["xvda".into()]));
        assert_eq!(names(find("/dev/cciss/c0d0")).0, "cciss!c0d0");
        let both = vec!["cciss!c0d0".to_owned(), "xvda".to_owned()];
        assert_eq!(names(find("/dev/mapper/my--vg-root")), ("dm-0".into(), both.clone()));
        assert_eq!(names(find("/dev/my-vg/root")), ("dm-0".into(), both));
        let of_root = |word: &str| find_root(&root, &Text::from(word), &tree());
        assert_eq!(names(of_root("202:1")).0, "xvda1");
        assert_eq!(names(of_root("block:/dev/xvda1")).0, "xvda1");
        assert_eq!(of_root("104:0").unwrap().node, Text::from("dev/cciss/c0d0"));
    }

    #[test]
    fn what_is_not_found_is_said_with_the_place() {
        let dir = tempfile::tempdir().unwrap();
        let root = sample(dir.path());
        let shown = dir.path().display();
        for (word, why) in [
            ("UUID=1", format!("cannot stat {shown}/dev/disk/by-uuid/1: No such file")),
            // A link that leads nowhere is no name of a device.
            ("LABEL=my root", "cannot stat".into()),
            ("/dev/xvdz", format!("cannot stat {shown}/dev/xvdz: No such file")),
            ("/dev/plain", format!("{shown}/dev/plain is no block device")),
            ("tmpfs", "neither a path nor a known tag".into()),
        ] {
            let error = find(&root, &Text::from(word), &tree()).unwrap_err().to_string();
            assert!(error.starts_with(&format!("cannot find a block device by {word}: ")));
            assert!(error.contains(&why), "{error}");
        }
    }
}
