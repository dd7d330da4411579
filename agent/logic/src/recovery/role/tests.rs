//! What may be done about a volume: the table of the design, one volume bent for each row.

use alloc::vec;

use super::*;
use crate::disk::sample;
use crate::policy::Chosen;
use crate::policy::settings::Settings;
use crate::recovery::effects::Identity;
use crate::recovery::world::{Burden, World};

/// An ext4 on a disk of its own, mounted on `/srv`, under the default policy.
struct Case {
    settings: Settings,
    world: World,
    core: BTreeSet<Text>,
    volume: VolumeMemory,
    seen: VolumeSeen,
}

impl Case {
    fn new() -> Case {
        let mut volume = VolumeMemory { was_writable: true, ..VolumeMemory::default() };
        volume.target.mount_point = "/srv".into();
        volume.target.fstype = "ext4".into();
        volume.disks = vec!["xvdb".into()];
        let (settings, world) = (Settings::default(), World::default());
        Case { settings, world, core: BTreeSet::new(), volume, seen: VolumeSeen::default() }
    }

    fn on(mut self, mount_point: &str) -> Case {
        self.volume.target.mount_point = mount_point.into();
        self
    }

    fn of_type(mut self, fstype: &str) -> Case {
        self.volume.target.fstype = fstype.into();
        self
    }

    /// A file of the configuration says so of this mount point.
    fn told(mut self, action: Action) -> Case {
        let origin = Origin::File { name: "/etc/xvdguard/config.toml".into(), line: 1 };
        let shared = Chosen::by_default(false);
        let rule = MountRule { action: Chosen { value: action, origin }, shared };
        self.settings.recovery.mounts.insert(self.volume.target.mount_point.clone(), rule);
        self
    }

    fn by_default(mut self, action: Action) -> Case {
        self.settings.recovery.default.value = action;
        self
    }

    fn role(&self) -> Role {
        let mut turn = Turn::sample(&self.settings, &self.world);
        turn.core.clone_from(&self.core);
        role(&turn, &self.volume, Some(&self.seen))
    }
}

#[test]
fn what_is_never_written_to_is_not_ours() {
    for fstype in ["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"] {
        assert_eq!(Case::new().of_type(fstype).role(), Role::NotOurs, "{fstype}");
    }
    let mut case = Case::new().told(Action::Recover);
    case.volume.was_writable = false;
    assert_eq!(case.role(), Role::NotOurs, "it never was writable");
}

#[test]
fn a_type_is_brought_back_where_somebody_knows_how() {
    for fstype in ["ext2", "ext3", "ext4", "xfs", "btrfs"] {
        assert_eq!(Case::new().of_type(fstype).by_default(Action::Recover).role(), Role::Recover);
    }
    let unknown = Case::new().of_type("reiserfs").by_default(Action::Recover);
    assert_eq!(unknown.role(), Role::Report(Why::UnknownType));
    let rebooted = Case::new().of_type("reiserfs").told(Action::Reboot);
    assert_eq!(rebooted.role(), Role::Reboot, "the next boot checks it");
}

#[test]
fn the_policy_of_a_mount_goes_before_the_default() {
    let of = |default, told| Case::new().by_default(default).told(told).role();
    assert_eq!(of(Action::Report, Action::Recover), Role::Recover);
    assert_eq!(of(Action::Recover, Action::Report), Role::Report(Why::Policy));
    assert_eq!(of(Action::Report, Action::Reboot), Role::Reboot);
    assert_eq!(Case::new().by_default(Action::Reboot).role(), Role::Reboot);
    assert_eq!(Case::new().by_default(Action::Report).role(), Role::Report(Why::Policy));
}

#[test]
fn root_and_what_the_guest_lives_on_are_rebooted() {
    assert_eq!(Case::new().on("/").by_default(Action::Recover).role(), Role::Reboot);
    let mut like_root = Case::new().on("/var").by_default(Action::Recover);
    like_root.core.insert("/var".into());
    assert_eq!(like_root.role(), Role::Reboot);
    assert_eq!(like_root.told(Action::Recover).role(), Role::Recover, "a person says it can");
    let mut held = Case::new().by_default(Action::Recover);
    held.seen.holds_core_files = true;
    assert_eq!(held.role(), Role::Reboot);
    held.settings.reboot.root.value = RootAction::Report;
    assert_eq!(held.role(), Role::Report(Why::Policy));
    let root = Case::new().on("/").told(Action::Recover);
    assert_eq!(root.role(), Role::Reboot, "nobody can unmount it");
    assert_eq!(Case::new().on("/").told(Action::Report).role(), Role::Report(Why::Policy));
}

#[test]
fn what_others_may_have_mounted_is_reported_whatever_the_policy_says() {
    let shared = Role::Report(Why::Shared);
    for fstype in ["gfs2", "ocfs2", "lustre"] {
        assert_eq!(Case::new().of_type(fstype).told(Action::Reboot).role(), shared, "{fstype}");
    }
    let mut by_super_block = Case::new().told(Action::Recover);
    by_super_block.volume.identity = Some(Identity { is_shared: true, ..Identity::default() });
    assert_eq!(by_super_block.role(), shared);
    let mut by_rule = Case::new().told(Action::Recover);
    let rules = by_rule.settings.recovery.mounts.values_mut();
    rules.for_each(|rule| rule.shared.value = true);
    assert_eq!(by_rule.role(), shared);
    for (mode, expected) in [("w!", shared), ("w", Role::Recover)] {
        let mut by_backend = Case::new().told(Action::Recover);
        by_backend.world.seen.disks = vec![sample::disk("xvdb", &[("mode", mode)])];
        assert_eq!(by_backend.role(), expected, "{mode}");
    }
}

#[test]
fn a_burden_is_reported_unless_a_person_names_the_volume() {
    let mut case = Case::new().by_default(Action::Recover);
    case.seen.burdens = vec![Burden::Swap];
    assert_eq!(case.role(), Role::Report(Why::Burdened));
    assert_eq!(case.told(Action::Recover).role(), Role::Recover);
}

#[test]
fn the_core_lies_on_the_longest_mount_point_above_it() {
    let mountinfo = b"21 1 202:0 / / rw - ext4 /dev/xvda rw\n\
        30 21 202:16 / /var rw - ext4 /dev/xvdb rw\n\
        31 21 202:32 / /var/library rw - ext4 /dev/xvdc rw\n\
        32 21 202:48 / /usr rw - ext4 /dev/xvdd rw\n";
    let mut seen = Observation::default();
    (seen.mounts, _) = crate::mountinfo::parse(mountinfo);
    let core: alloc::vec::Vec<Text> = core(&seen).into_iter().collect();
    assert_eq!(core, ["/", "/usr", "/var"].map(Text::from));
}
