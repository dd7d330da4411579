//! How large the programs are: as they are shipped, linked the other way, and packed for an image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::failure::{Result, Tried};
use harness::program;

use crate::bench::Bench;
use crate::report::{Chapter, Promise, Table, grouped};

/// Bytes; `tests/shipped` holds them too.
const EARLY: u64 = 1_500_000;
const AGENT: u64 = 2_700_000;

const STATIC: &str = "-C target-feature=+crt-static";
const DYNAMIC: &str = "-C target-feature=-crt-static";

/// How an image may be packed.
const PACKERS: [(&str, &[&str]); 3] =
    [("gzip", &["-9", "-c"]), ("xz", &["-9", "-c", "--check=crc32"]), ("zstd", &["-19", "-c"])];

/// Both programs.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let (early, agent) = (bench.program("xvdguard-early"), bench.program("xvdguard"));
    let (early_size, agent_size) = (size(&early)?, size(&agent)?);
    let early_dynamic = size(&build(bench, "xvdguard-early", DYNAMIC)?)?;
    let agent_static = size(&build(bench, "xvdguard", STATIC)?)?;
    let mut table = Table::new(&["what", "bytes"]);
    let mut row = |name: &str, bytes, promise| table.row(&[name.into(), grouped(bytes)], promise);
    row("`xvdguard-early`, static, as shipped", early_size, Promise::at_most(early_size, EARLY));
    row("`xvdguard-early`, dynamic", early_dynamic, None);
    row("`xvdguard`, dynamic, as shipped", agent_size, Promise::at_most(agent_size, AGENT));
    row("`xvdguard`, static", agent_static, None);
    for (packer, options) in PACKERS {
        let Some(program) = program::find(packer) else { continue };
        let shown = format!("`xvdguard-early`, as shipped, packed by {packer} {}", options[0]);
        row(&shown, packed(bench, &program, options, &early)?, None);
    }
    let text = "What a package and an image have to carry.";
    let mut chapter = Chapter::new("Sizes", text);
    chapter.add(table);
    Ok(chapter)
}

/// Builds a program linked otherwise, beside those that are shipped, and returns where it is.
fn build(bench: &Bench, package: &str, flags: &str) -> Result<PathBuf> {
    let triple = program::run("rustc", &["--print", "host-tuple"])?;
    let folder = bench.program("..").join("linked-otherwise");
    let mut cargo = Command::new("cargo");
    let profile = if package == "xvdguard-early" { "early" } else { "release" };
    cargo.args(["build", "--profile", profile, "--quiet", "-p", package]).env("RUSTFLAGS", flags);
    cargo.args(["--target", triple.trim_end(), "--target-dir"]).arg(&folder);
    program::output(cargo.current_dir(env!("CARGO_MANIFEST_DIR")))?;
    Ok(folder.join(triple.trim_end()).join(profile).join(package))
}

fn packed(bench: &Bench, packer: &Path, options: &[&str], file: &Path) -> Result<u64> {
    let mut command = bench.command(packer)?;
    let status = command.args(options).arg(file).status();
    status.tried(format_args!("run {command:?}"))?;
    size(&bench.output())
}

fn size(file: &Path) -> Result<u64> {
    let metadata = fs::metadata(file).tried(format_args!("look at {}", file.display()))?;
    Ok(metadata.len())
}
