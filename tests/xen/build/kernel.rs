//! Kernels of guests and of dom0: the image that a loader takes, and the modules in loading order.

use std::fs;
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Result, Tried};
use harness::program;

use super::archive::Suite;
use super::image::{decompress, unwrap_image};

/// What a guest needs beside what is built in; dependencies come with it.
const GUEST_MODULES: [&str; 2] = ["xen-blkfront", "ext4"];
/// The same for dom0; the virtio drivers are for what the harness hands in and asks.
pub const DOM0_MODULES: [&str; 20] = [
    "xen-evtchn",
    "xen-gntdev",
    "xen-gntalloc",
    "xen-privcmd",
    "xenfs",
    "xen-blkback",
    "dm-mod",
    "virtio_pci",
    "virtio_blk",
    "virtio_console",
    // Storage that stories build.
    "loop",
    "raid1",
    "dm-crypt",
    "drbd",
    "libcrc32c",
    "target_core_mod",
    "target_core_iblock",
    "iscsi_target_mod",
    "iscsi_tcp",
    "sd_mod",
];

/// A kernel package, unpacked.
#[derive(Debug)]
pub struct Unpacked {
    folder: PathBuf,
    /// `uname -r`.
    pub release: String,
}

impl Unpacked {
    /// Unpacks what the meta package (`linux-image-cloud-amd64`) of a suite stands for.
    pub fn new(suite: &Suite, meta_package: &str, folder: PathBuf) -> Result<Unpacked> {
        let below = suite.below(&[meta_package])?;
        // Newer suites keep image and modules apart.
        let parts = ["linux-image-", "linux-binary-", "linux-modules-"];
        let is_part = |name: &&str| {
            let rest = parts.iter().find_map(|part| name.strip_prefix(part));
            let is_release = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_numeric()));
            is_release && !name.ends_with("-unsigned")
        };
        let names: Vec<&str> = below.iter().map(String::as_str).filter(is_part).collect();
        suite.unpack(&names, &folder)?;
        let modules = if folder.join("lib").exists() { "lib" } else { "usr/lib" };
        let modules = folder.join(modules).join("modules");
        let release = only_entry(&modules)?;
        // modprobe looks below lib only.
        if !folder.join("lib").exists() {
            std::os::unix::fs::symlink("usr/lib", folder.join("lib")).tried("link lib")?;
        }
        Ok(Unpacked { folder, release })
    }

    /// The compressed image, as packaged.
    pub fn image(&self) -> Result<PathBuf> {
        let places = [
            self.folder.join(format!("boot/vmlinuz-{}", self.release)),
            self.folder.join(format!("lib/modules/{}/vmlinuz", self.release)),
        ];
        let missing = || Failure::new(format!("no image of {} in its packages", self.release));
        places.into_iter().find(|place| place.is_file()).ok_or_else(missing)
    }

    /// Copies modules, decompressed, and writes the file `order`.
    pub fn modules(&self, names: &[&str], into: &Path) -> Result<()> {
        fs::create_dir_all(into).tried(format_args!("make {}", into.display()))?;
        let folder = self.folder.display().to_string();
        program::run("depmod", &["--basedir", &folder, &self.release])?;
        let mut order: Vec<String> = Vec::new();
        for name in names {
            let dir = ["--dirname", &folder, "--set-version", &self.release];
            let shown = [&["--show-depends", "--config", "/dev/null"], &dir[..], &[name]].concat();
            // Newer packages do not say what is built in, and then it is not found; what is really
            // missing shows at its first use.
            let shown = program::run("modprobe", &shown).unwrap_or_default();
            for line in shown.lines() {
                // The other lines say "builtin".
                let Some(path) = line.strip_prefix("insmod ") else { continue };
                let file = self.module(Path::new(path.trim()), into)?;
                order.extend((!order.contains(&file)).then_some(file));
            }
        }
        let path = into.join("order");
        fs::write(&path, order.join("\n") + "\n").tried(format_args!("write {}", path.display()))
    }

    /// Copies one module; returns its name.
    fn module(&self, from: &Path, into: &Path) -> Result<String> {
        let packed = from.extension().unwrap_or_default().to_string_lossy().into_owned();
        let plain = if packed == "ko" { from.to_owned() } else { from.with_extension("") };
        let name = plain.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let to = into.join(&name);
        match packed.as_str() {
            "xz" => decompress("xz", from, &to)?,
            "zst" => decompress("zstd", from, &to)?,
            _ => drop(fs::copy(from, &to).tried(format_args!("copy {}", from.display()))?),
        }
        Ok(name)
    }
}

/// Builds the folder of a guest kernel: `vmlinux`, `modules/`, `release`.
pub fn build_guest(suite: &Suite, into: &Path) -> Result<()> {
    let kernel = Unpacked::new(suite, "linux-image-cloud-amd64", into.join("unpacked"))?;
    unwrap_image(&kernel.image()?, &into.join("vmlinux"))?;
    kernel.modules(&GUEST_MODULES, &into.join("modules"))?;
    fs::write(into.join("release"), &kernel.release).tried("write the release")?;
    fs::remove_dir_all(&kernel.folder).tried("remove the unpacked packages")
}

/// The name of the one entry of a folder.
pub fn only_entry(folder: &Path) -> Result<String> {
    let what = || format!("look into {}", folder.display());
    let names: std::io::Result<Vec<_>> =
        fs::read_dir(folder).tried(what())?.map(|entry| entry.map(|one| one.file_name())).collect();
    match names.tried(what())?.as_slice() {
        [name] => Ok(name.to_string_lossy().into_owned()),
        names => Err(Failure::new(format!("{} has {} entries", folder.display(), names.len()))),
    }
}
