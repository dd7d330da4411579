//! Kernel logs as text, in the form of `/dev/kmsg` records: of one boot, or as long as wanted.

use crate::sysfs::Disk;

/// Records that are no business of xvdguard's: priority and text.
const OTHERS: [(u32, &str); 8] = [
    (6, "pci 0000:00:01.1: legacy IDE quirk: reg 0x10: [io  0x01f0-0x01f7]"),
    (6, "ACPI: PCI: Interrupt link LNKC configured for IRQ 11"),
    (4, "EXT4-fs (xvda1): mounted filesystem with ordered data mode. Quota mode: none."),
    (30, "systemd[1]: Started Journal Service."),
    (6, "xen_netfront: Initialising Xen virtual ethernet driver\n SUBSYSTEM=xen\n DEVICE=+xen:v"),
    (5, "audit: type=1400 audit(1.2:3): apparmor=\"STATUS\" operation=\"profile_load\" pid=412"),
    (3, "Buffer I/O error on dev xvdb, logical block 4096, lost async page write"),
    (12, "blkfront: xvda: flush op failed, said somebody who is not the kernel"),
];

/// What blkfront says, in forms of several kernels; the last but one is not about flushes.
const BLKFRONT: [&str; 8] = [
    "blkfront: xvda: flush diskcache: enabled; persistent grants: enabled; indirect",
    "blkfront: xvdb: barrier or flush: disabled; persistent grants: enabled;",
    "blkfront: xvda: flush op failed",
    "blkfront: xvdc: empty flush op failed",
    "blkfront: barrier: empty write xvda2 op failed",
    "suspending xenstore...",
    "blkfront: xvda: discard op failed",
    "blkif_interrupt: 12 callbacks suppressed",
];

/// What grep needs to find the same lines.
pub const PATTERN: &str = "^[0-7],[0-9]+,[0-9]+[^;]*;(\
    blkfront: [[:alnum:]_!/.-]{1,31}: (write barrier|(empty )?(barrier|flush)) op failed$|\
    blkfront: [[:alnum:]_!/.-]{1,31}: (barriers |barrier: |flush diskcache: |barrier or flush: )\
    (en|dis)abled([^[:alpha:]]|$)|\
    blkfront: (barrier|flush disk cache): (empty )?write [[:alnum:]_!/.-]{1,31} op failed$|\
    suspending xenstore\\.\\.\\.|\
    blkif_interrupt: .* callbacks suppressed$)";

/// Every so many records one of blkfront's.
const RARE: usize = 500;
/// Records of a boot before the first disk.
const BOOT: usize = 800;

#[derive(Debug, Default)]
struct Log {
    text: String,
    sequence: usize,
}

impl Log {
    fn add(&mut self, priority: u32, text: &str) {
        let (sequence, us) = (self.sequence, self.sequence * 1009);
        self.text += &format!("{priority},{sequence},{us},-;{text}\n");
        self.sequence += 1;
    }

    fn add_other(&mut self) {
        let (priority, text) = OTHERS[self.sequence % OTHERS.len()];
        self.add(priority, text);
    }
}

/// The log of a guest that has just booted: every disk has said how it connected.
pub fn of_a_boot(disks: &[Disk]) -> String {
    let mut log = Log::default();
    (0..BOOT).for_each(|_| log.add_other());
    for Disk { name, .. } in disks {
        log.add(6, &format!("blkfront: {name}: barrier or flush: disabled; persistent grants: on"));
    }
    log.text
}

/// A log of at least so many bytes.
pub fn of_bytes(bytes: usize) -> String {
    let mut log = Log::default();
    while log.text.len() < bytes {
        if log.sequence % RARE == RARE - 1 {
            log.add(4, BLKFRONT[log.sequence / RARE % BLKFRONT.len()]);
        } else {
            log.add_other();
        }
    }
    log.text
}
