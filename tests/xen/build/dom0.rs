//! The hypervisor and dom0: Xen's packages and a kernel, unpacked, as one archive that is dom0's
//! root in memory; and the module that plays the sick disks, compiled for that kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::failure::{Failure, Result, Tried};
use harness::program;

use super::archive::{Installed, Suite};
use super::cache::Cache;
use super::cpio::Cpio;
use super::image::decompress;
use super::kernel::{DOM0_MODULES, Unpacked};

/// Where Xen and dom0's kernel come from: the suite whose Xen is known to run in emulation.
const SUITE: &str = "bookworm";
const INIT: &str = include_str!("../dom0/init");
const BLOCK_HELD: &str = include_str!("../dom0/block-held");
const SICK_DISK: &str = include_str!("../dom0/sick_disk.c");
/// Beside Xen's tools: a shell and its programs, and a judge of file systems.
const PROGRAMS: [&str; 10] = [
    "xenstore-utils",
    "busybox-static",
    "e2fsprogs",
    "bash",
    "dmsetup",
    "lvm2",
    "mdadm",
    "cryptsetup-bin",
    "drbd-utils",
    "open-iscsi",
];
/// What these packages carry and dom0 never reads: how such paths begin.
const LEFT_OUT: [&str; 3] = ["usr/share/", "usr/lib/python3", "usr/lib/x86_64-linux-gnu/perl"];

/// What QEMU starts.
#[derive(Debug)]
pub struct Host {
    /// The hypervisor, an ELF.
    pub xen: PathBuf,
    /// dom0's kernel.
    pub kernel: PathBuf,
    /// dom0's root.
    pub root: PathBuf,
    /// What these are, for the report.
    pub versions: String,
}

/// Builds what is missing.
pub fn host(cache: &Cache) -> Result<Host> {
    let recipe = [SUITE, INIT, BLOCK_HELD, SICK_DISK, include_str!("dom0.rs")];
    let folder = cache.part("dom0", &recipe, |folder| build(cache, folder))?;
    let versions = folder.join("versions");
    let versions =
        fs::read_to_string(&versions).tried(format_args!("read {}", versions.display()))?;
    let file = |name| folder.join(name);
    Ok(Host { xen: file("xen"), kernel: file("vmlinuz"), root: file("root.cpio"), versions })
}

fn build(cache: &Cache, folder: &Path) -> Result<()> {
    let suite = Suite::open(cache, SUITE, &[], Installed::Nothing)?;
    let names = suite.below(&["xen-system-amd64"])?;
    let named = |prefix: &str, suffix: &str| {
        let mut found = names.iter().filter_map(|name| {
            let version = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            version.starts_with(|c: char| c.is_numeric()).then_some(name.as_str())
        });
        found.next().ok_or_else(|| Failure::new(format!("{SUITE} has no {prefix}*{suffix}")))
    };
    let (hypervisor, tools) = (named("xen-hypervisor-", "-amd64")?, named("xen-utils-", "")?);
    let unpacked = folder.join("unpacked");
    let below = |name: &str| unpacked.join(name);
    suite.unpack(&[hypervisor], &below("xen"))?;
    take_hypervisor(&below("xen/boot"), &folder.join("xen"))?;
    let kernel = Unpacked::new(&suite, "linux-image-amd64", below("kernel"))?;
    let image = kernel.image()?;
    fs::copy(&image, folder.join("vmlinuz")).tried(format_args!("copy {}", image.display()))?;
    kernel.modules(&DOM0_MODULES, &below("modules"))?;
    suite.unpack_with_needs(&[&[tools], &PROGRAMS[..]].concat(), &below("root"))?;
    let module = compile(&suite, &kernel.release, &below("headers"))?;
    pack(&unpacked, &module, &folder.join("root.cpio"))?;
    let versions = format!("Xen {}, dom0 {}", suite.version(hypervisor)?, kernel.release);
    fs::write(folder.join("versions"), versions).tried("write the versions")?;
    fs::remove_dir_all(&unpacked).tried("remove the unpacked packages")
}

/// QEMU's loader takes only an ELF that is not compressed.
fn take_hypervisor(boot: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(boot).tried(format_args!("look into {}", boot.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let packed = paths.find(|path| path.extension().is_some_and(|end| end == "gz"));
    let missing = || Failure::new(format!("{} holds no hypervisor", boot.display()));
    decompress("gzip", &packed.ok_or_else(missing)?, to)
}

/// Compiles the sick disks against the headers of dom0's kernel. Their Makefile names its other
/// half by the path of an installed package: it is unpacked here, so that path is rewritten.
fn compile(suite: &Suite, release: &str, folder: &Path) -> Result<PathBuf> {
    let below = suite.below(&[&format!("linux-headers-{release}")])?;
    let is_needed =
        |name: &&str| name.starts_with("linux-headers-") || name.starts_with("linux-kbuild-");
    let names: Vec<&str> = below.iter().map(String::as_str).filter(is_needed).collect();
    suite.unpack(&names, folder)?;
    let headers = folder.join(format!("usr/src/linux-headers-{release}"));
    let makefile = headers.join("Makefile");
    let text = fs::read_to_string(&makefile).tried(format_args!("read {}", makefile.display()))?;
    let here = text.replace("/usr/src/", &format!("{}/", folder.join("usr/src").display()));
    fs::write(&makefile, here).tried(format_args!("write {}", makefile.display()))?;
    let source = folder.join("sick_disk");
    fs::create_dir(&source).tried(format_args!("make {}", source.display()))?;
    for (name, text) in [("sick_disk.c", SICK_DISK), ("Kbuild", "obj-m := sick_disk.o\n")] {
        let path = source.join(name);
        fs::write(&path, text).tried(format_args!("write {}", path.display()))?;
    }
    let mut make = Command::new("make");
    // Below another make its variables would be obeyed.
    make.env_remove("MAKEFLAGS").env_remove("MAKELEVEL").arg("-C").arg(&headers);
    make.arg(format!("M={}", source.display())).args(["CC=gcc", "modules"]);
    program::output(&mut make)?;
    Ok(source.join("sick_disk.ko"))
}

fn pack(unpacked: &Path, module: &Path, to: &Path) -> Result<()> {
    let mut archive = Cpio::default();
    let is_kept = |path: &str| !LEFT_OUT.iter().any(|start| path.starts_with(start));
    archive.tree(&unpacked.join("root"), "", &is_kept)?;
    for folder in ["proc", "sys", "dev", "run", "tmp", "modules"] {
        archive.folder(folder);
    }
    archive.tree(&unpacked.join("modules"), "modules/", &|_| true)?;
    archive.copy("modules/sick_disk.ko", 0o644, module)?;
    archive.file("init", 0o755, INIT.as_bytes());
    archive.file("etc/xen/scripts/block-held", 0o755, BLOCK_HELD.as_bytes());
    fs::write(to, archive.finish()).tried(format_args!("write {}", to.display()))
}
