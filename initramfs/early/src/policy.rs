//! The policy of this boot: what the image carries, overruled by the kernel command line.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use xvdguard_linux::error::Result;
use xvdguard_linux::root::{self, Root};
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::policy::{Policy, frozen};

/// Where the policy is: since the system runs, and in the image.
const FROZEN: [&[u8]; 2] = [b"run/xvdguard/frozen.policy", b"etc/xvdguard/frozen.policy"];

/// Policy and words; what is not understood is added to `said`.
pub fn read(root: &Root, file: Option<&Path>, said: &mut Vec<String>) -> (Policy, KernelWords) {
    let words = words(root, said);
    let content = match file {
        Some(path) => root::read_named(path.as_os_str().as_bytes()),
        None => frozen(root),
    };
    let policy = match content {
        Ok(content) => {
            let (policy, oddities) = frozen::parse(&content);
            said.extend(oddities);
            policy
        }
        Err(error) if error.is_missing() && file.is_none() => Policy::default(),
        Err(error) => {
            said.push(format!("{error}; the defaults are used"));
            Policy::default()
        }
    };
    (words.overrule(policy), words)
}

/// The first that is there.
fn frozen(root: &Root) -> Result<Vec<u8>> {
    match root.read(FROZEN[0]) {
        Err(error) if error.is_missing() => root.read(FROZEN[1]),
        read => read,
    }
}

fn words(root: &Root, said: &mut Vec<String>) -> KernelWords {
    match root.read_text(b"proc/cmdline") {
        Ok(line) => {
            let words = KernelWords::parse(&line.unwrap_or_default());
            said.extend(words.oddities.iter().cloned());
            words
        }
        Err(error) => {
            said.push(format!("{error}; the kernel command line is taken as empty"));
            KernelWords::default()
        }
    }
}
