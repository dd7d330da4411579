//! The commit that a result was got of. Never changes the checkout.

use std::path::Path;
use std::process::Command;

use crate::failure::Result;
use crate::program;

/// What `commit` adds where files differ from it.
pub const CHANGED: &str = ", and changes not committed";

/// The commit that is checked out, and whether files other than `result` differ from it.
pub fn commit(result: &str) -> Result<String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
        git.args(["-c", "safe.directory=*"]).args(arguments).current_dir(repository);
        program::output(&mut git)
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?.trim_end().to_owned();
    let changed = git(&["status", "--porcelain", "--", ".", &format!(":!{result}")])?;
    Ok(if changed.is_empty() { commit } else { commit + CHANGED })
}
