//! The Debian guest: systemd on an ext3 root, xvdguard as `make install` leaves it, and two images
//! of initramfs-tools, one with the hook and one that was made before there was any.
//!
//! The root is made by debootstrap below target/xen and entered in a mount namespace of its own:
//! nothing is ever mounted that others see.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Result, Tried};
use harness::{program, programs};

use super::archive::mirror;
use super::cache::Cache;
use super::image::unwrap_image;

const SUITE: &str = "bookworm";
const PACKAGES: &str = "systemd-sysv,udev,dbus,kmod,e2fsprogs,initramfs-tools,zstd,\
                        busybox-static,xenstore-utils,linux-image-cloud-amd64";
const SIZE: &str = "640M";
/// What makes a root of debootstrap's a guest, run in it.
const CONFIGURE: &str = include_str!("../debian/configure");
const INSTALL: &str = include_str!("../debian/install");
/// What the bed puts into it.
const FILES: [(&str, &str); 3] = [
    ("usr/lib/bed/agent", include_str!("../guest/agent")),
    ("usr/lib/bed/start", include_str!("../debian/start")),
    ("etc/systemd/system/bed-agent.service", include_str!("../debian/bed-agent.service")),
];
/// Where the files of xvdguard lie in the repository that are installed beside its programs.
const INSTALLED: [&str; 4] = ["initramfs", "udev-rules", "packaging", "Makefile"];

/// The guest's files.
#[derive(Debug, Clone)]
pub struct Debian {
    /// Holds `vmlinux`, `initrd` and `initrd-plain`.
    pub folder: PathBuf,
}

impl Debian {
    /// Its root file system.
    pub fn disk(&self) -> PathBuf {
        self.folder.join("disk.ext3")
    }
}

/// Builds what is missing.
pub fn debian(cache: &Cache) -> Result<Debian> {
    let recipe = [SUITE, PACKAGES, CONFIGURE];
    let base = cache.part("debian", &recipe, bootstrap)?;
    let content = content()?;
    let texts: String = FILES.iter().map(|(path, text)| format!("{path}\n{text}")).collect();
    let recipe = [INSTALL, SIZE, &base.display().to_string(), &content, &texts];
    let folder = cache.part("guest", &recipe, |folder| build(&base, folder))?;
    Ok(Debian { folder })
}

fn bootstrap(folder: &Path) -> Result<()> {
    let root = folder.join("root");
    let include = format!("--include={PACKAGES}");
    let words = ["--variant=minbase", &include, SUITE].map(OsStr::new);
    let mirror = mirror()?;
    let place = [root.as_os_str(), mirror.as_ref()];
    program::run("debootstrap", &[&words[..], &place].concat())?;
    enter(&root, CONFIGURE)
}

fn build(base: &Path, folder: &Path) -> Result<()> {
    let root = folder.join("root");
    let from = base.join("root");
    program::run("cp", &["-a".as_ref(), from.as_os_str(), root.as_os_str()])?;
    let initrd = |name: &str| {
        let only = only(&root.join("boot"), "initrd.img-")?;
        fs::copy(&only, folder.join(name)).tried(format_args!("copy {}", only.display()))
    };
    initrd("initrd-plain")?;
    let destination = format!("DESTDIR={}", root.display());
    let repository = repository().display().to_string();
    let built = programs::path("xvdguard")?;
    let built = format!("PREBUILT={}", built.parent().unwrap_or(&built).display());
    program::run("make", &["-s", "-C", &repository, "install", &built, &destination])?;
    for (path, text) in FILES {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&root)).tried("make a folder")?;
        fs::write(&path, text).tried(format_args!("write {}", path.display()))?;
    }
    let ours = program::ours()?;
    program::run("strip", &["-o".as_ref(), root.join("init").as_os_str(), ours.as_os_str()])?;
    enter(&root, INSTALL)?;
    initrd("initrd")?;
    unwrap_image(&only(&root.join("boot"), "vmlinuz-")?, &folder.join("vmlinux"))?;
    let disk = folder.join("disk.ext3");
    let words = ["-q", "-F", "-E", "lazy_itable_init=0,nodiscard", "-d"].map(OsStr::new);
    let place = [root.as_os_str(), disk.as_os_str(), SIZE.as_ref()];
    program::run("mkfs.ext3", &[&words[..], &place].concat())?;
    fs::remove_dir_all(&root).tried(format_args!("remove {}", root.display()))
}

/// Runs a script in a root.
fn enter(root: &Path, script: &str) -> Result<()> {
    const ENTER: &str = "mount -t proc proc \"$1/proc\" && exec chroot \"$1\" sh -euc \"$2\"";
    let words = ["--mount", "sh", "-c", ENTER, "sh"].map(OsStr::new);
    let place = [root.as_os_str(), script.as_ref()];
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

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("")
}

/// A name for everything that is installed, by content.
fn content() -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let programs = ["xvdguard", "xvdguard-early"].map(programs::path);
    let mut files = vec![program::ours()?];
    for program in programs {
        files.push(program?);
    }
    for name in INSTALLED {
        add(&repository().join(name), &mut files)?;
    }
    for file in files {
        let bytes = fs::read(&file).tried(format_args!("read {}", file.display()))?;
        hasher.write(&bytes);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// All files at and below a path, in an order of their own.
fn add(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).tried(format_args!("look into {}", path.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.iter().try_for_each(|path| add(path, files))
}
