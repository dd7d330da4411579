//! The policy of this boot: what the image carries, overruled by the kernel command line.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use xvdguard_linux::root::{self, Root};
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::policy::{Policy, frozen};

/// Where the image carries its policy.
const FROZEN: &[u8] = b"etc/xvdguard/frozen.policy";

/// Policy and words; what is not understood is added to `said`.
pub fn read(root: &Root, file: Option<&Path>, said: &mut Vec<String>) -> (Policy, KernelWords) {
    let words = words(root, said);
    let content = match file {
        Some(path) => root::read_named(path.as_os_str().as_bytes()),
        None => root.read(FROZEN),
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
