//! Every terminal that somebody is logged in on, as wall(1) reaches them. Never waits for one.

use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::write;

use crate::root::Root;

/// Writes a line to each.
pub fn tell(root: &Root, text: &str) {
    let line = format!("\r\n{text}\r\n");
    for name in root.list(b"dev/pts").unwrap_or_default() {
        if name.number().is_none() {
            continue;
        }
        let path = [b"dev/pts/", name.as_bytes()].concat();
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let Ok(terminal) = root.open(&path, flags) else { continue };
        let is_terminal = fstat(&terminal)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice);
        if is_terminal {
            let _ = write(&terminal, line.as_bytes());
        }
    }
}
