//! Real images hand root's mount option on, wherever root lies on the disk: what the kernel command
//! line says of root is kept, and barrier=0 stands beside it; nothing of that is left once the real
//! root runs.

use harness::failure::Result;

use crate::broken::{Broken, DEBIAN, ROOT};
use crate::build::GuestKernel;
use crate::build::debian::{Kind, USUAL};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// With each maker of images, and with each that differs in a suite.
pub const STORIES: [(Kind, Story); 13] = [
    (USUAL, Story { name: "root-options-initramfs-tools", ..STORY }),
    (DRACUT, Story { name: "root-options-dracut", ..STORY }),
    // Without a systemd in the system there is none in the image.
    (
        Kind { init: "sysvinit-core", ..DRACUT },
        Story { name: "root-options-dracut-sysvinit", ..STORY },
    ),
    (
        Kind { suite: "bullseye", ..DRACUT },
        Story { name: "root-options-dracut-bullseye", ..IN_BULLSEYE },
    ),
    (
        Kind { suite: "bullseye", init: "sysvinit-core", ..DRACUT },
        Story { name: "root-options-dracut-sysvinit-bullseye", ..IN_BULLSEYE },
    ),
    (Kind { suite: "trixie", ..DRACUT }, Story { name: "root-options-dracut-trixie", ..IN_TRIXIE }),
    (
        Kind { suite: "trixie", init: "sysvinit-core", ..DRACUT },
        Story { name: "root-options-dracut-sysvinit-trixie", ..IN_TRIXIE },
    ),
    (Kind { also: "lvm2", ..USUAL }, Story { name: "root-options-lvm-initramfs-tools", ..ON_LVM }),
    (Kind { also: "lvm2", ..DRACUT }, Story { name: "root-options-lvm-dracut", ..ON_LVM }),
    (Kind { also: "mdadm", ..USUAL }, Story { name: "root-options-md-initramfs-tools", ..ON_MD }),
    (Kind { also: "mdadm", ..DRACUT }, Story { name: "root-options-md-dracut", ..ON_MD }),
    (
        Kind { also: "cryptsetup-initramfs", ..USUAL },
        Story { name: "root-options-crypt-initramfs-tools", ..ON_CRYPT },
    ),
    (
        Kind { also: "cryptsetup-bin", ..DRACUT },
        Story { name: "root-options-crypt-dracut", ..ON_CRYPT },
    ),
];

const DRACUT: Kind = Kind { maker: "dracut", ..USUAL };

const STORY: Story = Story {
    name: "",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always(
        "by name: ro nobarrier, nothing left; by UUID: ro nobarrier commit=17, nothing left; \
         rw: rw nobarrier noatime, nothing left; on a partition: ro nobarrier, nothing left",
    ),
    guard: UNCONFIGURED,
    tell: |stage| tell(stage, &[BY_NAME, BY_UUID, WRITABLE, ON_PARTITION]),
};

const IN_BULLSEYE: Story = Story { is_for: GuestKernel::is_bullseyes, ..STORY };
const IN_TRIXIE: Story = Story { is_for: GuestKernel::is_trixies, ..STORY };

const ON_LVM: Story = Story {
    with: always("on LVM: ro nobarrier, nothing left"),
    tell: |stage| tell(stage, &[ON_VOLUME]),
    ..STORY
};

const ON_MD: Story = Story {
    with: always("on md: ro nobarrier, nothing left"),
    tell: |stage| tell(stage, &[ON_MIRROR]),
    ..STORY
};

const ON_CRYPT: Story = Story {
    with: always("on dm-crypt: ro nobarrier, nothing left"),
    tell: |stage| tell(stage, &[ENCRYPTED]),
    ..STORY
};

/// How root is named and to be mounted, and the options that it must be seen to have.
struct Root {
    name: &'static str,
    words: &'static str,
    wanted: &'static [&'static str],
    /// Scripts of the host, which make another disk of Debian's, and that disk.
    make: &'static [&'static str],
    device: &'static str,
}

const BY_NAME: Root =
    Root { name: "by name", words: ROOT, wanted: &["ro", "nobarrier"], make: &[], device: DEBIAN };
const BY_UUID: Root = Root {
    name: "by UUID",
    words: "root=UUID=01234567-89ab-4cde-8f01-23456789abcd ro rootflags=commit=17",
    wanted: &["ro", "nobarrier", "commit=17"],
    ..BY_NAME
};
const WRITABLE: Root = Root {
    name: "rw",
    words: "root=/dev/xvda rw rootflags=noatime",
    wanted: &["rw", "nobarrier", "noatime"],
    ..BY_NAME
};
const ON_PARTITION: Root = Root {
    name: "on a partition",
    words: "root=/dev/xvda1 ro",
    make: &[PARTITION_TABLE, JOIN],
    device: "/dev/mapper/joined",
    ..BY_NAME
};
const ON_VOLUME: Root = Root {
    name: "on LVM",
    words: "root=/dev/mapper/guest-root ro",
    make: &[": >/run/begin\n", JOIN, LABEL],
    ..ON_PARTITION
};
const ON_MIRROR: Root = Root {
    name: "on md",
    words: "rd.auto root=UUID=01234567-89ab-4cde-8f01-23456789abcd ro",
    make: &[": >/run/begin\n", JOIN, MIRROR],
    ..ON_PARTITION
};
/// dracut learns of it from the command line, initramfs-tools from crypttab (`debian/configure`).
const ENCRYPTED: Root = Root {
    name: "on dm-crypt",
    words: "rd.luks.name=fedcba98-7654-4321-8fed-cba987654321=clear \
            rd.luks.key=fedcba98-7654-4321-8fed-cba987654321=/etc/keys/bed.key \
            root=/dev/mapper/clear ro",
    make: &[": >/run/begin\n", JOIN, ENCRYPT],
    ..ON_PARTITION
};

/// Of a disk whose one partition is Debian's: the entry of it, which a bootable mark, its first and
/// last cylinder, its type, its first sector and its sectors make, behind 446 bytes for a loader.
const PARTITION_TABLE: &str = r#"# a partition table
little_endian() { for shift in 0 8 16 24; do
    printf "\\$(printf %03o $(($1 >> shift & 255)))"; done; }
{ head -c 446 /dev/zero; printf '\0\0\0\0\203\0\0\0'; little_endian 2048
little_endian $(blockdev --getsz /dev/vdb); head -c 48 /dev/zero; printf '\125\252'; } >/run/begin
"#;

/// A disk with room before Debian's, where partition tables and labels stand.
const JOIN: &str = r#"# room before Debian
set -e
rmmod sick_disk 2>/dev/null || true
truncate -s 1M /run/begin
losetup /dev/loop0 /run/begin
dmsetup create joined --noudevsync --table "0 2048 linear /dev/loop0 0
2048 $(blockdev --getsz /dev/vdb) linear /dev/vdb 0"
dmsetup mknodes
"#;

/// The whole of Debian is the one logical volume.
const LABEL: &str = r#"lvm pvcreate --dataalignment 1M /dev/mapper/joined
lvm vgcreate guest /dev/mapper/joined
lvm lvcreate -an -W n -Z n -l 100%FREE -n root guest
"#;

/// The whole of Debian is the one half of a mirror.
const MIRROR: &str = r#"mdadm --create /dev/md0 --run --force --level=1 --raid-devices=1 \
    --metadata=1.2 --data-offset=1M --assume-clean --homehost=any --name=bed /dev/mapper/joined
mdadm --stop /dev/md0
"#;

/// Debian becomes what it is encrypted, each block where it was. The key is short, so that the
/// header has room before.
const ENCRYPT: &str = r#"export DM_DISABLE_UDEV=1
printf 'the key of a bed' >/run/key
cryptsetup -q luksFormat --type luks1 --cipher aes-cbc-plain64 --key-size 128 --align-payload 2048 \
    --pbkdf-force-iterations 1000 --uuid fedcba98-7654-4321-8fed-cba987654321 \
    --key-file /run/key /dev/mapper/joined
cryptsetup open --type luks1 --key-file /run/key /dev/mapper/joined clear
dd if=/dev/vdb of=/dev/mapper/clear bs=1M conv=fsync
cryptsetup close clear
"#;

/// The lever of old kernels, on one that can be played, whatever its disks do.
const NEEDS_OPTION: Broken = Broken {
    name: "root needs barrier=0",
    make: "mkdir -p etc/xvdguard\nprintf '%s\\n' xvdguard-policy=1 barrier.mode=off \
           barrier.lever=mount >etc/xvdguard/frozen.policy",
    fault: "",
    heal: "",
    root: ROOT,
    device: DEBIAN,
};

fn tell(stage: &mut Stage, roots: &[Root]) -> Result<String> {
    stage.spoil();
    let mut said = Vec::new();
    for Root { name, words, wanted, make, device } in roots {
        if !make.is_empty() {
            stage.host(&make.concat())?;
        }
        let booted = Broken { root: words, device, ..NEEDS_OPTION }.boot(stage)?;
        crate::say(&format!("{name}: {}", booted.options));
        let has = |word: &&&str| booted.options.split(',').any(|option| option == **word);
        let found: Vec<&str> = wanted.iter().filter(has).copied().collect();
        said.push(format!("{name}: {}, {} left", found.join(" "), booted.left));
    }
    Ok(said.join("; "))
}
