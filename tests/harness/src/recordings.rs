//! Recordings of real Xen guests (`tests/fixtures/xen`), unpacked as a person would unpack them.
//!
//! Each was written by `xvdguard record` in a guest of that kernel. Never changed by hand.

use std::fs::File;
use std::path::Path;

use tar::Archive;
use tempfile::TempDir;

use crate::failure::{Result, Tried};

/// Unpacks the recording of a kernel (`6.1`) and a moment (`before` or `after` early boot); `None`
/// where there is none.
pub fn unpack(kernel: &str, moment: &str) -> Result<Option<TempDir>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/xen");
    let path = fixtures.join(format!("{kernel}-{moment}.tar"));
    if path.exists() { unpack_file(&path).map(Some) } else { Ok(None) }
}

/// Unpacks an archive that `xvdguard record` wrote.
pub fn unpack_file(path: &Path) -> Result<TempDir> {
    let archive = File::open(path).tried(format_args!("open {}", path.display()))?;
    let folder = tempfile::tempdir().tried("make a temporary directory")?;
    Archive::new(archive).unpack(folder.path()).tried(format_args!("unpack {}", path.display()))?;
    Ok(folder)
}
