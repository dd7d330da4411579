//! Debian guests: an ext3 root of one suite, with one init and one maker of images. xvdguard lies
//! in it as `make install` leaves it, or as a package that nobody has installed yet.
//!
//! The root is made by debootstrap below target/xen and entered in a mount namespace of its own:
//! nothing is ever mounted that others see.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Result, Tried};
use harness::{program, programs};

use super::archive::mirror;
use super::cache::Cache;
use super::content::{content, repository};
use super::image::unwrap_image;

/// Which Debian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As Debian calls it.
    pub suite: &'static str,
    /// The package that brings its init: `systemd-sysv`, `sysvinit-core`.
    pub init: &'static str,
    /// The package that makes its images: `initramfs-tools`, `dracut`.
    pub maker: &'static str,
    /// A package more, or none: `lvm2`.
    pub also: &'static str,
    /// How xvdguard lies in it.
    pub brought: Brought,
}

/// How xvdguard comes into a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Brought {
    /// By `make install`, before the first boot.
    Installed,
    /// As `/root/xvdguard.deb` and, with a lower number, `/root/lower.deb`, for the guest to
    /// install.
    AsPackage,
}

/// The guest of most stories.
pub const USUAL: Kind = Kind {
    suite: "bookworm",
    init: "systemd-sysv",
    maker: "initramfs-tools",
    also: "",
    brought: Brought::Installed,
};

const PACKAGES: &str = "udev,kmod,e2fsprogs,zstd,busybox-static,xenstore-utils";
const SIZE: &str = "960M";
const EMPTY_SIZE: &str = "480M";
/// The version of a package that is to be upgraded.
const LOWER: &str = "0.0.1";
const DISK: &str = "disk.ext3";
const MKFS: [&str; 4] = ["-q", "-F", "-E", "lazy_itable_init=0,nodiscard"];
/// Of its root.
const UUID: &str = "01234567-89ab-4cde-8f01-23456789abcd";
/// What makes a root of debootstrap's a guest, run in it.
const CONFIGURE: &str = include_str!("../debian/configure");
const INSTALL: &str = include_str!("../debian/install");
/// Installs the package for the image that this makes: dracut takes too long in a guest.
const WITH_PACKAGE: &str = concat!(include_str!("../debian/limit"), "dpkg -i /root/xvdguard.deb\n");
/// What the bed puts into it.
const FILES: [(&str, &str); 7] = [
    ("usr/lib/bed/agent", include_str!("../guest/agent")),
    ("usr/lib/bed/start", include_str!("../debian/start")),
    ("usr/lib/bed/booted", include_str!("../debian/booted")),
    ("etc/systemd/system/bed-agent.service", include_str!("../debian/bed-agent.service")),
    ("etc/initramfs-tools/scripts/local-premount/zz-bed", include_str!("../debian/before-root")),
    ("usr/lib/dracut/modules.d/95bed/before-root.sh", include_str!("../debian/before-root")),
    ("usr/lib/dracut/modules.d/95bed/module-setup.sh", include_str!("../debian/module-setup.sh")),
];

impl Kind {
    /// What makes its images, and what else they hold.
    fn packages(self) -> String {
        format!("{} {}", self.maker, self.also).trim_end().to_owned()
    }
}

/// The guest's files.
#[derive(Debug, Clone)]
pub struct Debian {
    /// Holds `vmlinux` and `initrd-plain`; and `initrd`, which has xvdguard, where the guest does
    /// not make that one itself.
    pub folder: PathBuf,
    /// Holds `disk.ext3` with nothing on it and room for a part of the guest.
    empty: PathBuf,
}

impl Debian {
    /// Its root file system, and one for what lies on a disk of its own.
    pub fn disks(&self) -> [PathBuf; 2] {
        [&self.folder, &self.empty].map(|folder| folder.join(DISK))
    }
}

/// Builds what is missing.
pub fn debian(cache: &Cache, kind: Kind) -> Result<Debian> {
    let Kind { suite, init, brought, .. } = kind;
    let maker = kind.packages();
    let name = format!("{suite}-{init}-{}", maker.replace(' ', "-"));
    let recipe = [suite, init, &maker, PACKAGES, CONFIGURE];
    let base = cache.part(&format!("debian-{name}"), &recipe, |to| bootstrap(kind, to))?;
    let (content, base_name) = (content()?, base.display().to_string());
    let texts: String = FILES.iter().map(|(path, text)| format!("{path}\n{text}")).collect();
    let recipe = [INSTALL, WITH_PACKAGE, SIZE, UUID, &base_name, &content, &texts];
    let part = format!("guest-{name}-{brought:?}");
    let folder = cache.part(&part, &recipe, |folder| build(kind, &base, folder))?;
    let empty = cache.part("disk-empty", &[EMPTY_SIZE], |folder| {
        let size = [folder.join(DISK).into_os_string(), EMPTY_SIZE.into()];
        program::run("mkfs.ext3", &[MKFS.map(Into::into).as_slice(), &size].concat()).map(drop)
    })?;
    Ok(Debian { folder, empty })
}

fn bootstrap(kind: Kind, folder: &Path) -> Result<()> {
    let root = folder.join("root");
    let include = format!("--include={PACKAGES},{}", kind.init);
    let words = ["--variant=minbase", &include, kind.suite].map(OsStr::new);
    let mirror = mirror()?;
    let place = [root.as_os_str(), mirror.as_ref()];
    program::run("debootstrap", &[&words[..], &place].concat())?;
    enter(&root, CONFIGURE, &kind.packages())
}

fn build(kind: Kind, base: &Path, folder: &Path) -> Result<()> {
    let root = folder.join("root");
    let from = base.join("root");
    program::run("cp", &["-a".as_ref(), from.as_os_str(), root.as_os_str()])?;
    for (path, text) in FILES {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&root)).tried("make a folder")?;
        fs::write(&path, text).tried(format_args!("write {}", path.display()))?;
    }
    let ours = program::ours()?;
    program::run("strip", &["-o".as_ref(), root.join("init").as_os_str(), ours.as_os_str()])?;
    enter(&root, INSTALL, if kind.brought == Brought::AsPackage { "package" } else { "" })?;
    let initrd = |name: &str| {
        let only = only(&root.join("boot"), "initrd.img-")?;
        fs::copy(&only, folder.join(name)).tried(format_args!("copy {}", only.display()))
    };
    initrd("initrd-plain")?;
    if kind.brought == Brought::Installed {
        make_install(&root)?;
        enter(&root, INSTALL, "installed")?;
        initrd("initrd")?;
    } else {
        pack(&root)?;
    }
    if kind.brought == Brought::AsPackage && kind.maker == "dracut" {
        enter(&root, WITH_PACKAGE, "")?;
        initrd("initrd")?;
        enter(&root, "/usr/bin/dpkg -P xvdguard; rm -r /etc/xvdguard", "")?;
        // From now on the image that knows nothing of xvdguard is the one that its removal made.
        initrd("initrd-plain")?;
    }
    unwrap_image(&only(&root.join("boot"), "vmlinuz-")?, &folder.join("vmlinux"))?;
    let disk = folder.join(DISK);
    let words = [&MKFS[..], &["-U", UUID, "-d"]].concat();
    let words: Vec<&OsStr> = words.into_iter().map(OsStr::new).collect();
    let place = [root.as_os_str(), disk.as_os_str(), SIZE.as_ref()];
    program::run("mkfs.ext3", &[&words[..], &place].concat())?;
    fs::remove_dir_all(&root).tried(format_args!("remove {}", root.display()))
}

/// The folder of the programs under test.
fn programs_folder() -> Result<PathBuf> {
    let built = programs::path("xvdguard")?;
    Ok(built.parent().unwrap_or(&built).to_owned())
}

fn make_install(root: &Path) -> Result<()> {
    let destination = format!("DESTDIR={}", root.display());
    let repository = repository().display().to_string();
    let built = format!("PREBUILT={}", programs_folder()?.display());
    program::run("make", &["-s", "-C", &repository, "install", &built, &destination]).map(drop)
}

/// The package of these programs, as `make packages` makes it, and the same with a lower number.
fn pack(root: &Path) -> Result<()> {
    for (name, version) in [("xvdguard.deb", None), ("lower.deb", Some(LOWER))] {
        let (programs, out) = (programs_folder()?, root.join("root/packages"));
        let pack = repository().join("packaging/pack");
        let words = ["deb".as_ref(), "amd64".as_ref(), programs.as_os_str(), out.as_os_str()];
        let version = version.map(OsStr::new);
        let words: Vec<&OsStr> = words.into_iter().chain(version).collect();
        program::run(&pack.display().to_string(), &words)?;
        let (made, package) = (only(&out, "xvdguard_")?, root.join("root").join(name));
        fs::rename(&made, &package).tried(format_args!("name {}", package.display()))?;
        fs::remove_dir_all(&out).tried(format_args!("remove {}", out.display()))?;
    }
    Ok(())
}

/// Runs a script in a root, with one word.
fn enter(root: &Path, script: &str, word: &str) -> Result<()> {
    const ENTER: &str =
        "mount -t proc proc \"$1/proc\" && exec chroot \"$1\" sh -euc \"$2\" sh \"$3\"";
    let words = ["--mount", "sh", "-c", ENTER, "sh"].map(OsStr::new);
    let place = [root.as_os_str(), script.as_ref(), word.as_ref()];
    program::run("unshare", &[&words[..], &place].concat()).map(drop)
}

/// The one file of a folder whose name begins so.
fn only(folder: &Path, start: &str) -> Result<PathBuf> {
    let entries = fs::read_dir(folder).tried(format_args!("look into {}", folder.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
    };
    let missing = || Failure::new(format!("{} has no {start}*", folder.display()));
    paths.find(is_it).ok_or_else(missing)
}
