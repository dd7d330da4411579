//! What the table does not say: lines that belong together, disks that differ, what is only
//! reported.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::record::{Record, RecordedEdit};
use super::sample::Machine;
use super::{ChangeKind, Remount};
use crate::kernel_version::KernelRelease;
use crate::policy::{BarrierMode, Lever, RewriteFstab};
use crate::text::Text;
use crate::verdict::FlushVerdict::{self, Absent, Failing, Proven, Refused, Untested};

/// A guest on 6.1 whose xvda refuses flushes and whose xvdb is proven.
fn machine() -> Machine {
    let mut machine = Machine::with_kernels(&[(6, 1)]);
    machine.disk("xvda", 0, Refused);
    machine.disk("xvdb", 16, Proven);
    machine
}

fn rules(machine: &Machine) -> Vec<&'static str> {
    machine.plan().findings.iter().map(|finding| finding.rule).collect()
}

fn is_untouched(machine: &Machine) {
    assert_eq!(machine.planned_fstab(), machine.fstab, "{:#?}", machine.plan());
}

#[test]
fn only_the_lines_of_the_refusing_disk_change() {
    let mut machine = machine();
    machine.fstab(
        "# static\n\
         /dev/xvda\t/srv\text4\tdefaults\t0 2\r\n\
         /dev/xvdb /home ext4 defaults 0 2\n\
         tmpfs /tmp tmpfs size=1g 0 0\n\
         nfs:/x /x nfs defaults 0 0",
    );
    assert_eq!(
        machine.planned_fstab(),
        "# static\n\
         # xvdguard: was defaults\r\n\
         /dev/xvda\t/srv\text4\tdefaults,barrier=0\t0 2\r\n\
         /dev/xvdb /home ext4 defaults 0 2\n\
         tmpfs /tmp tmpfs size=1g 0 0\n\
         nfs:/x /x nfs defaults 0 0"
    );
    let plan = machine.plan();
    let change = &plan.fstab[0];
    assert_eq!((change.kind, change.line), (ChangeKind::Set, 2));
    assert_eq!((&change.mount_point, &change.source), (&"/srv".into(), &"/dev/xvda".into()));
    assert_eq!((&change.old, &change.new), (&"defaults".into(), &"defaults,barrier=0".into()));
    assert_eq!(change.why.rule, "flush-refused");
    let reason = "xvda refuses flushes, and a journal aborts of that on kernel 6.1.0";
    assert_eq!(change.why.reason, reason);
}

#[test]
fn what_was_planned_once_is_not_planned_again() {
    let mut machine = machine();
    machine.fstab("/dev/xvda / ext4 defaults 0 1\n/dev/xvda /again ext4 ro 0 0\n");
    let planned = machine.planned_fstab();
    assert_eq!(machine.plan().fstab.len(), 2);
    let mut again = self::machine();
    again.fstab(&planned);
    assert_eq!(again.plan().fstab, []);
}

#[test]
fn lines_of_one_super_block_change_together_or_not_at_all() {
    for obstacle in [
        "/dev/xvda /b auto defaults 0 0",
        "/dev/xvda /b ext3,ext4 defaults 0 0",
        "/dev/xvda /b ext2 defaults 0 0",
        "/dev/xvda /b ext4 x-y=\"open 0 0",
        "# xvdguard: was noatime\n/dev/xvda /b ext4 noatime,barrier=1 0 0",
    ] {
        let mut machine = machine();
        machine.fstab("/dev/xvda /a ext4 defaults 0 2\n");
        machine.fstab(obstacle);
        is_untouched(&machine);
        assert_eq!(rules(&machine).len(), 1, "{obstacle}: {:?}", machine.plan().findings);
    }
}

#[test]
fn noauto_and_swap_are_only_spoken_of() {
    let mut machine = machine();
    machine.fstab(
        "/dev/xvda /a ext4 defaults 0 2\n\
         /dev/xvda /b ext4 noauto,user 0 2\n\
         /dev/xvda none swap sw 0 0\n\
         overlay /o overlay lowerdir=/a 0 0\n",
    );
    assert_eq!(machine.plan().fstab.len(), 1);
    assert_eq!(rules(&machine), ["noauto-not-edited", "swap-never-flushes"]);
    assert_eq!(machine.plan().findings[0].place, "/etc/fstab:2 (/b)");
    machine.mount(0, "/a", "ext4", "rw");
    assert!(rules(&machine).contains(&"overlay-not-edited"));
}

#[test]
fn a_line_that_a_person_switched_off_is_left_alone() {
    for options in ["barrier=0", "nobarrier", "barrier=1,noatime,barrier=0"] {
        let mut machine = machine();
        machine.fstab(&alloc::format!("/dev/xvda / ext4 {options} 0 1\n"));
        is_untouched(&machine);
        assert_eq!(rules(&machine), [] as [&str; 0]);
    }
}

#[test]
fn every_disk_below_a_volume_counts() {
    let wants = |other: FlushVerdict| {
        let mut machine = Machine::with_kernels(&[(6, 1)]);
        machine.disk("xvda", 0, Refused);
        machine.disk("xvdb", 16, other);
        machine.device("dm-0", 32, &["xvda", "xvdb"]);
        machine.fstab("/dev/dm-0 /srv ext4 defaults 0 2\n");
        !machine.plan().fstab.is_empty()
    };
    for verdict in [Refused, Absent, FlushVerdict::Off, FlushVerdict::SwitchedOff] {
        assert!(wants(verdict), "{verdict}");
    }
    for verdict in [Proven, Untested, Failing, FlushVerdict::Lost] {
        assert!(!wants(verdict), "{verdict}");
    }
}

#[test]
fn an_edit_is_taken_back_only_where_all_disks_are_well() {
    let restores = |other: FlushVerdict| {
        let mut machine = Machine::with_kernels(&[(6, 1)]);
        machine.disk("xvda", 0, Proven);
        machine.disk("xvdb", 16, other);
        machine.device("dm-0", 32, &["xvda", "xvdb"]);
        machine.fstab("# xvdguard: was rw\n/dev/dm-0 /srv ext4 rw,barrier=0 0 2\n");
        machine.planned_fstab() == "/dev/dm-0 /srv ext4 rw 0 2\n"
    };
    for verdict in [Proven, Absent, FlushVerdict::Off] {
        assert!(restores(verdict), "{verdict}");
    }
    for verdict in [Refused, Failing, FlushVerdict::Lost, Untested, FlushVerdict::SwitchedOff] {
        assert!(!restores(verdict), "{verdict}");
    }
}

#[test]
fn a_disk_that_is_no_vbd_keeps_its_barriers() {
    for mode in [BarrierMode::Auto, BarrierMode::Off] {
        let mut machine = machine();
        machine.policy(mode, Lever::Auto, RewriteFstab::Auto);
        machine.device("nvme0n1", 48, &[]);
        machine.device("md0", 49, &["xvda", "nvme0n1"]);
        machine.fstab("/dev/md0 /srv ext4 defaults 0 2\n/dev/nvme0n1 /fast ext4 defaults 0 2\n");
        is_untouched(&machine);
    }
}

#[test]
fn what_cannot_be_found_is_not_guessed() {
    let mut machine = machine();
    machine.policy(BarrierMode::Off, Lever::Auto, RewriteFstab::Auto);
    machine.fstab("UUID=4711 /srv ext4 defaults 0 2\n");
    assert!(machine.carriers.is_empty());
    machine.lost.insert(1, "cannot stat /dev/disk/by-uuid/4711".into());
    is_untouched(&machine);
    assert_eq!(rules(&machine), ["source-not-found"]);
    machine.policy(BarrierMode::Leave, Lever::Auto, RewriteFstab::Auto);
    assert_eq!(rules(&machine), [] as [&str; 0]);
}

#[test]
fn our_edit_goes_by_a_persons_word_wherever_the_disk_is() {
    let mut machine = machine();
    machine.policy(BarrierMode::On, Lever::Auto, RewriteFstab::Auto);
    machine.fstab("# xvdguard: was\nUUID=4711 /srv ext4 barrier=0\n");
    assert_eq!(machine.planned_fstab(), "UUID=4711 /srv ext4\n");
}

#[test]
fn a_read_only_vbd_needs_no_option() {
    let mut machine = Machine::with_kernels(&[(6, 1)]);
    machine.policy(BarrierMode::Off, Lever::Auto, RewriteFstab::Auto);
    machine.disk("xvda", 0, Absent);
    if let Some(device) = &mut machine.seen.disks[0].device {
        device.read_only = true;
    }
    machine.fstab("/dev/xvda /iso ext4 ro 0 0\n");
    is_untouched(&machine);
    assert!(machine.plan().is_empty());
}

#[test]
fn where_rewriting_is_forbidden_the_reason_is_said() {
    let mut machine = machine();
    machine.policy(BarrierMode::Auto, Lever::Auto, RewriteFstab::Never);
    machine.fstab("/dev/xvda / ext4 defaults 0 1\n");
    is_untouched(&machine);
    assert_eq!(rules(&machine), ["rewrite-never"]);
}

#[test]
fn an_edit_that_somebody_changed_is_left_and_said() {
    let mut machine = machine();
    machine.fstab("# xvdguard: was rw\n/dev/xvdb /srv ext4 rw,barrier=0,noatime 0 2\n");
    is_untouched(&machine);
    assert_eq!(rules(&machine), ["own-edit-changed"]);
    let mut machine = self::machine();
    machine.fstab("# xvdguard: was rw\n# /dev/xvdb /srv ext4 rw,barrier=0 0 2\n");
    is_untouched(&machine);
    assert_eq!(rules(&machine), ["own-comment-left"]);
}

#[test]
fn a_volume_without_a_line_is_named_with_its_unit() {
    let mut machine = machine();
    machine.mount(0, "/srv/a-b", "ext4", "rw");
    assert_eq!(rules(&machine), ["no-line-in-fstab"]);
    assert_eq!(machine.plan().findings[0].place, "/srv/a-b");
    machine.mount_units.push(r"srv-a\x2db.mount".into());
    assert_eq!(rules(&machine), ["mount-unit-not-edited"]);
    machine.fstab("UUID=1 /srv/a-b ext4 defaults 0 2\n");
    assert_eq!(rules(&machine), [] as [&str; 0]);
}

#[test]
fn root_flags_of_the_command_line_are_spoken_of() {
    let mut machine = machine();
    machine.seen.command_line = Text::from("root=/dev/xvda rootflags=noatime ro");
    machine.mount(0, "/", "ext4", "rw");
    machine.fstab("/dev/xvda / ext4 defaults 0 1\n");
    assert_eq!(rules(&machine), ["rootflags-not-edited"]);
    assert_eq!(machine.plan().root_flags, None);
}

#[test]
fn without_write_cache_root_flags_are_advised_until_they_are_in_force() {
    let mut machine = Machine::with_kernels(&[(3, 16)]);
    machine.disk("xvda", 0, Refused);
    machine.seen.command_line = Text::from("root=/dev/xvda rootflags=noatime ro");
    machine.mount(0, "/", "ext4", "rw");
    let flags = machine.plan().root_flags.unwrap();
    assert_eq!((flags.old, flags.new.as_str()), (Some("noatime".into()), "noatime,barrier=0"));
    machine.seen.mounts.clear();
    machine.mount(0, "/", "ext4", "rw,nobarrier");
    assert_eq!(machine.plan().root_flags, None);
}

#[test]
fn a_mounted_volume_waits_where_the_queue_is_the_lever() {
    let mut machine = machine();
    machine.mount(0, "/srv", "ext4", "rw");
    machine.fstab("/dev/xvda /srv ext4 defaults 0 2\n");
    let plan = machine.plan();
    assert_eq!(plan.remounts, []);
    assert_eq!(plan.waits.len(), 1);
    assert!(plan.waits[0].starts_with("/srv: barrier=0 comes into force"), "{:?}", plan.waits);
}

#[test]
fn a_remount_names_the_volume_and_the_reason() {
    let mut machine = machine();
    machine.policy(BarrierMode::Auto, Lever::Mount, RewriteFstab::Auto);
    machine.mount(0, "/srv", "ext3", "rw");
    machine.mount(16, "/home", "ext4", "rw");
    let remounts = machine.plan().remounts;
    assert_eq!(remounts.len(), 1);
    let Remount { mount_point, fstype, device, barrier, why, .. } = &remounts[0];
    assert_eq!((mount_point, fstype), (&"/srv".into(), &"ext3".into()));
    assert_eq!(
        (device.to_string().as_str(), *barrier, why.rule),
        ("202:0", false, "flush-refused")
    );
}

#[test]
fn a_mode_that_is_on_never_sends_a_flush_that_would_fail() {
    let mut machine = machine();
    machine.policy(BarrierMode::On, Lever::Auto, RewriteFstab::Auto);
    machine.mount(0, "/srv", "ext4", "rw,nobarrier");
    machine.fstab("# xvdguard: was rw\n/dev/xvda /srv ext4 rw,barrier=0 0 2\n");
    let plan = machine.plan();
    assert_eq!((plan.fstab.len(), plan.remounts.len()), (1, 0));
    assert!(plan.waits[0].contains("stays without barriers"), "{:?}", plan.waits);
}

#[test]
fn our_write_through_goes_when_the_disk_is_proven() {
    let mut machine = machine();
    let set = |machine: &mut Machine, ours| {
        machine.reports[1].switched_off_by_us = ours;
        if let Some(device) = &mut machine.seen.disks[1].device {
            device.queue.insert("write_cache".into(), "write through".into());
        }
        let queue = machine.plan().queue;
        queue.iter().filter(|one| one.disk == "xvdb").map(|one| one.new.clone()).collect::<Vec<_>>()
    };
    assert_eq!(set(&mut machine, true), ["write back"]);
    assert_eq!(set(&mut machine, false), [] as [&str; 0]);
    machine.policy(BarrierMode::Leave, Lever::Auto, RewriteFstab::Auto);
    assert_eq!(set(&mut machine, true), [] as [&str; 0]);
}

#[test]
fn an_inert_machine_has_no_plan() {
    let mut machine = machine();
    machine.policy.inert = Some("xvdguard=off".into());
    machine.fstab("/dev/xvda / ext4 defaults 0 1\n");
    assert!(machine.plan().is_empty());
}

#[test]
fn revert_takes_back_every_edit_of_ours_to_the_byte() {
    let original =
        "# mine\n/dev/xvda /srv ext4\n/dev/xvdb\t/home ext4 rw 0 2\r\n/dev/xvdc /x ext3 ro";
    let mut machine = machine();
    machine.policy(BarrierMode::Off, Lever::Mount, RewriteFstab::Auto);
    machine.disk("xvdc", 32, FlushVerdict::SwitchedOff);
    machine.fstab(original);
    let planned = machine.planned_fstab();
    assert_eq!(machine.plan().fstab.len(), 3);
    let mut edited = machine;
    edited.fstab.clear();
    edited.fstab(&planned);
    edited.mount(0, "/srv", "ext4", "rw,nobarrier");
    edited.mount(16, "/home", "ext4", "rw,nobarrier");
    edited.reports[2].switched_off_by_us = true;
    if let Some(device) = &mut edited.seen.disks[2].device {
        device.queue.insert("write_cache".into(), "write through".into());
    }
    let plan = edited.revert().unwrap();
    let fstab = plan.new_fstab.unwrap();
    assert_eq!(Text::from(fstab.to_bytes()), original);
    // A flush of xvda would fail.
    let remounts: Vec<_> =
        plan.remounts.iter().map(|one| (&one.mount_point, one.barrier)).collect();
    assert_eq!(remounts, [(&"/home".into(), true)]);
    assert_eq!(
        plan.waits,
        ["/srv: stays without barriers until it is mounted again; a flush would fail now"]
    );
    assert_eq!(plan.queue.len(), 1);
    assert_eq!((&plan.queue[0].disk, &plan.queue[0].new), (&"xvdc".into(), &"write back".into()));
}

#[test]
fn revert_refuses_where_somebody_changed_an_edit() {
    for change in
        ["# xvdguard: was rw\n/dev/xvda /srv ext4 rw,barrier=1 0 2\n", "# xvdguard: was rw\n\n"]
    {
        let mut machine = machine();
        machine.fstab("# xvdguard: was rw\n/dev/xvdb /home ext4 rw,barrier=0 0 2\n");
        machine.fstab(change);
        assert_eq!(machine.revert().unwrap_err().len(), 1, "{change}");
    }
}

#[test]
fn revert_knows_a_line_of_ours_without_its_comment() {
    let mut machine = machine();
    machine.fstab("/dev/xvdb /home ext4 rw,barrier=0 0 2\n");
    assert!(machine.revert().unwrap().is_empty());
    let edits = [RecordedEdit {
        source: "/dev/xvdb".into(),
        mount_point: "/home".into(),
        old: "rw".into(),
        new: "rw,barrier=0".into(),
        reason: String::new(),
        rule: String::new(),
        time: None,
    }];
    let (tool, version) = (String::new(), String::new());
    machine.record = Some(Record { schema: 1, tool, version, edits: edits.into() });
    let refused = machine.revert().unwrap_err();
    assert_eq!(refused.iter().map(|one| one.rule).collect::<Vec<_>>(), ["own-comment-gone"]);
    machine.fstab.clear();
    machine.fstab("/dev/xvdb /home ext4 rw 0 2\n");
    assert!(machine.revert().unwrap().is_empty());
}

#[test]
fn a_write_through_of_ours_stays_where_flushes_fail() {
    let mut machine = machine();
    machine.reports[0].switched_off_by_us = true;
    if let Some(device) = &mut machine.seen.disks[0].device {
        device.queue.insert("write_cache".into(), "write through".into());
    }
    let plan = machine.revert().unwrap();
    assert_eq!(plan.queue, []);
    assert!(plan.waits[0].starts_with("xvda queue/write_cache: stays write through"));
}

#[test]
fn what_is_mounted_read_only_is_not_remounted() {
    let mut machine = machine();
    machine.policy(BarrierMode::Auto, Lever::Mount, RewriteFstab::Auto);
    machine.mount(0, "/srv", "ext4", "ro");
    let plan = machine.plan();
    assert_eq!(plan.remounts, []);
    assert!(plan.waits[0].contains("mounted read-only"), "{:?}", plan.waits);
}

#[test]
fn an_option_that_an_installed_kernel_may_refuse_is_not_written() {
    let mut machine = machine();
    // Before ext4 was there, and a kernel whose name holds no version is not in the list at all.
    machine.kernels.extend(KernelRelease::parse(&Text::from("2.6.18-194.el5xen")));
    machine.fstab("/dev/xvda / ext4 defaults 0 1\n");
    is_untouched(&machine);
    assert_eq!(rules(&machine), ["option-not-known-everywhere"]);
    machine.kernels.clear();
    is_untouched(&machine);
}
