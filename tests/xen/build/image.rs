//! What a kernel's image holds: the ELF that a loader takes, unpacked.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};

use harness::failure::{Failure, Result, Tried};

/// Takes the ELF out of a bzImage (Documentation/x86/boot.rst: setup_sects, payload_offset,
/// payload_length): a guest is created in a third of the time when libxl need not unpack it.
pub fn unwrap_image(image: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(image).tried(format_args!("read {}", image.display()))?;
    let number = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
        u32::from_le_bytes(four.unwrap_or_default()) as usize
    };
    let setup = (usize::from(bytes.get(0x1f1).copied().unwrap_or(0)) + 1) * 512;
    let start = setup + number(0x248);
    let unknown = || Failure::new(format!("{} has no payload that is known", image.display()));
    let payload = bytes.get(start..start + number(0x24c)).ok_or_else(unknown)?;
    let program = match payload {
        [0xfd, b'7', ..] => "xz",
        [0x28, 0xb5, ..] => "zstd",
        [0x02, 0x21, ..] => "lz4",
        [0x1f, 0x8b, ..] => "gzip",
        _ => return Err(unknown()),
    };
    // The size that the build appends to all but gzip (scripts/Makefile.lib, size_append).
    let size = if program == "gzip" { 0 } else { 4 };
    let packed = to.with_extension("packed");
    fs::write(&packed, &payload[..payload.len() - size])
        .tried(format_args!("write {}", packed.display()))?;
    decompress(program, &packed, to)?;
    fs::remove_file(&packed).tried(format_args!("remove {}", packed.display()))
}

/// Runs `xz`, `zstd`, `lz4` or `gzip` from one file to another.
pub fn decompress(program: &str, from: &Path, to: &Path) -> Result<()> {
    let what = format!("unpack {} with {program}", from.display());
    let (from, to) = (File::open(from).tried(&what)?, File::create(to).tried(&what)?);
    let mut command = Command::new(program);
    command.args(["-d", "-c"]).stdin(from).stdout(to).stderr(Stdio::null());
    let status = command.status().tried(&what)?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("cannot {what}: {status}"))) }
}
