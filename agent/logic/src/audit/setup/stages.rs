//! What files tell of the boot: which kernels are here, whether an initramfs ran and what it did.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::File;
use super::wanted::Kind;
use crate::text::Text;

/// What is known of the boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// The running kernel's release, in full.
    pub running: Option<Text>,
    /// Releases of the kernels that have modules here.
    pub releases: Vec<Text>,
    /// Releases of the kernels that have an image in `/boot`.
    pub images: Vec<Text>,
    /// Whether an initramfs ran: systemd, dracut and initramfs-tools leave `/run/initramfs`.
    pub had_initramfs: bool,
    /// Whether initramfs-tools, in a version that leaves a mark, checked root in the initramfs;
    /// none where it is another tool or nobody may look.
    pub checked_root: Option<bool>,
    /// A hook of ours for an initramfs, or the unit that does the same later.
    pub hook: Option<String>,
    /// Whether that unit ran, since the initramfs had not done it.
    pub had_second_chance: bool,
}

impl Stages {
    pub(super) fn from_files(files: &[File]) -> Stages {
        let marks = || files.iter().filter(|file| file.kind == Kind::Mark);
        let named = |start: &str, end: &str| -> Vec<Text> {
            let paths = marks().map(|file| file.path.as_bytes());
            let between = paths.filter_map(|path| {
                path.strip_prefix(start.as_bytes())?.strip_suffix(end.as_bytes())
            });
            between.map(Text::from).collect()
        };
        let has = |path: &str| marks().any(|file| file.path == path);
        let mut images = named("boot/vmlinuz-", "");
        images.extend(named("boot/vmlinux-", ""));
        let is_hook = |path: &Text| path.contains("xvdguard") && !path.starts_with("run/");
        let hook = marks().find(|file| is_hook(&file.path));
        let release = files.iter().find(|file| file.kind == Kind::Release);
        let release = release.and_then(|file| file.content.as_ref());
        Stages {
            running: release.map(|release| release.as_bytes().trim_ascii().into()),
            releases: named("lib/modules/", "/modules.dep"),
            images,
            had_initramfs: has("run/initramfs"),
            checked_root: checked_root(files),
            hook: hook.map(|file| format!("/{}", file.path)),
            had_second_chance: has("run/xvdguard/second-chance"),
        }
    }

    /// Whether the kernel of this release is one that is installed here.
    pub fn has_kernel(&self, release: &Text) -> bool {
        self.releases.iter().chain(&self.images).any(|one| one == release)
    }
}

/// The mark is set by `_checkfs_once` of initramfs-tools' scripts/functions; its hook `fsck` came
/// in the same version.
fn checked_root(files: &[File]) -> Option<bool> {
    let find = |path: &str| files.iter().find(|file| file.path == path);
    find("usr/share/initramfs-tools/hooks/fsck")?;
    find("run/initramfs")?;
    // A check that failed leaves its log only.
    let traces = ["run/initramfs/fsck-root", "run/initramfs/fsck.log"].map(find);
    match traces.into_iter().flatten().next() {
        None => Some(false),
        Some(file) => file.is_readable.then_some(true),
    }
}
