//! What to do about a story and what is useless, with the exact commands.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::explain::advice::{FlushEra, Step, Useless};
use crate::kernel_log::matcher::Subsystem;
use crate::text::Text;

/// A step in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// What to do, and why.
    pub text: String,
    /// What to type, in order.
    pub commands: Vec<String>,
}

/// What is useless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning {
    /// What people try.
    pub what: &'static str,
    /// What it does instead.
    pub why: &'static str,
}

fn instruction(text: impl Into<String>, commands: &[&str]) -> Instruction {
    let commands = commands.iter().map(ToString::to_string).collect();
    Instruction { text: text.into(), commands }
}

/// The words of a step.
pub fn instruct(step: &Step) -> Instruction {
    match step {
        Step::Wait => instruction(
            "Wait. blkfront has no timeout: while the storage is silent nothing fails and nothing \
             is lost, and the guest goes on when it answers. Do not reset the guest; see why the \
             host does not answer",
            &[],
        ),
        Step::LookAtHost { is_full } => look_at_host(*is_full),
        Step::AskGuests => instruction(
            "Look into each guest on that storage. A guest survives if the host made its requests \
             wait; where the host answered with errors, a journal is dead, the root stays \
             read-only until a restart, and mount goes on saying rw",
            &["xvdguard explain", "touch /probe-$$ && rm /probe-$$"],
        ),
        Step::Revive { device, file_system } => revive(device, *file_system),
        Step::Check { device, file_system } => check(device, *file_system),
        Step::Reconnect { disks } => instruction(
            format!(
                "{}: nothing is flushed any more, although the storage may be back, until the host \
                 detaches and attaches the disk, or the guest is rebooted (from 6.11 on a \
                 migration does it too){PRICE}",
                list(disks)
            ),
            &["xvdguard status"],
        ),
        Step::Flushes { disks, era } => flushes(disks, *era),
        Step::Option { text } => instruction(
            format!(
                "Take the option out of /etc/fstab or rootflags= ({text}). ext3 and ext4 know \
                 barrier=0 and barrier=1; XFS knows neither since 4.19"
            ),
            &[],
        ),
        Step::Past => instruction(
            "The log shows a later boot without any of this. See whether that is so",
            &["xvdguard explain", "xvdguard status"],
        ),
    }
}

fn look_at_host(is_full: bool) -> Instruction {
    if is_full {
        return instruction(
            "On the host: the storage is full. Extend the thin pool or the file system that \
             carries the images",
            &["lvs -o name,data_percent,metadata_percent", "df -h", "dmesg"],
        );
    }
    instruction(
        "On the host: find out why it lost its storage, and whether it has it back. A host that \
         queues requests while paths are lost keeps its guests alive (multipath: no_path_retry \
         queue; iSCSI: node.session.timeo.replacement_timeout; DRBD: on-io-error)",
        &["dmesg", "multipath -ll", "iscsiadm -m session -P 3", "drbdadm status", "xl list"],
    )
}

fn revive(device: &Text, file_system: Option<Subsystem>) -> Instruction {
    let device = path(device);
    let why = format!(
        "Bring {device} back, once the storage answers: stop what uses it, then umount, check, \
         mount. If it carries /, only a reboot does that"
    );
    let commands = match file_system {
        Some(Subsystem::Xfs) => {
            return instruction(
                format!("{why}. The mount replays the log; xfs_repair only if that fails"),
                &[&format!("umount {device}"), &format!("mount {device}")],
            );
        }
        Some(Subsystem::Btrfs) => [
            format!("umount {device}"),
            format!("mount {device}"),
            format!("btrfs device stats {device}"),
        ],
        Some(Subsystem::F2fs | Subsystem::Jfs | Subsystem::Reiserfs | Subsystem::Nilfs2) => {
            [format!("umount {device}"), format!("fsck {device}"), format!("mount {device}")]
        }
        _ => [format!("umount {device}"), format!("e2fsck -f {device}"), format!("mount {device}")],
    };
    instruction(why, &commands.each_ref().map(String::as_str))
}

fn check(device: &Text, file_system: Option<Subsystem>) -> Instruction {
    let device = path(device);
    let command = match file_system {
        Some(Subsystem::Xfs) => format!("xfs_repair -n {device}"),
        Some(Subsystem::Btrfs) => format!("btrfs check --readonly {device}"),
        _ => format!("e2fsck -f {device}"),
    };
    instruction(
        format!(
            "Check {device} at the next umount or reboot, and compare the files written at that \
             time with a copy: its journal is alive, but not all that was written arrived"
        ),
        &[&command],
    )
}

const PRICE: &str = ". After a power loss of the host the last writes may then be lost";

fn flushes(disks: &[Text], era: FlushEra) -> Instruction {
    let names = list(disks);
    let queue = |disk: &Text| {
        format!("echo 'write through' > /sys/block/{}/queue/write_cache", shell(disk))
    };
    let write_through: Vec<String> = disks.iter().map(queue).collect();
    let (text, commands) = match era {
        FlushEra::Survives => ("this kernel noticed and goes on without barriers", Vec::new()),
        FlushEra::MountOption => (
            "mount its ext3 and ext4 with barrier=0, a root by rootflags=barrier=0 on the kernel \
             command line; remounting helps only while the journal lives",
            Vec::from(["mount -o remount,barrier=0 MOUNTPOINT".into()]),
        ),
        FlushEra::WriteCache => (
            "until the host's backend keeps what it promises, have flushes off before file systems \
             are mounted: xvdguard-early boot in the initramfs does it, by hand it is this",
            write_through,
        ),
        FlushEra::Silent => (
            "this kernel aborts nothing, but since that line it sends no flush any more and shows \
             it nowhere. What heals it: the host detaches and attaches the disk, a migration, a \
             reboot",
            Vec::from(["xvdguard probe".into(), "xl save DOMAIN FILE; xl restore FILE".into()]),
        ),
        FlushEra::Unknown => (
            "what to do depends on the kernel, which this log does not tell (say it with --kernel \
             VERSION). Below 4.7: barrier=0 for ext3 and ext4. 4.7 to 6.10: write through, before \
             file systems are mounted. From 6.11: detach and attach the disk, migrate, or reboot",
            write_through,
        ),
    };
    let price = if era == FlushEra::Silent { "" } else { PRICE };
    Instruction { text: format!("{names}: {text}{price}"), commands }
}

fn list(disks: &[Text]) -> String {
    disks.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// The node of a device: the kernel writes `!` for `/`.
fn path(device: &Text) -> String {
    format!("/dev/{}", device.to_string().replace('!', "/"))
}

/// The name in sysfs, safe in a shell: names have no other special character.
fn shell(disk: &Text) -> String {
    disk.to_string().replace('/', "!").replace('!', "\\!")
}

/// The words of what is useless.
pub fn warn(useless: Useless) -> Warning {
    let (what, why) = match useless {
        Useless::RemountRw => (
            "mount -o remount,rw",
            "on a dead journal it returns success or \"Abort forced by user\", and heals nothing",
        ),
        Useless::ErrorsContinue => (
            "errors=continue, errors=remount-ro",
            "they choose what follows an error in the file system; a journal that cannot be \
             written dies with either",
        ),
        Useless::Barriers0 => {
            ("barriers=0", "no file system knows it; the mount fails, and a root stays read-only")
        }
        Useless::WriteBack => (
            "echo 'write back' > queue/write_cache",
            "after a flush failed: up to 5.10 the next commit aborts, later it is refused or \
             changes nothing",
        ),
        Useless::Timeouts => (
            "timeout=, retry= or suspend_timeout= in the guest's configuration",
            "they do not exist; blkfront waits for ever, and an error of the host is final",
        ),
    };
    Warning { what, why }
}
