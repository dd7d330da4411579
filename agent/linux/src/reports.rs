//! Reports of this boot in `/run/xvdguard`: whole files, renamed into place, mode 0644.
//!
//! Never on a disk: `/run` is memory, and what it says is true for this boot only.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::fs::{self, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use xvdguard_logic::verdict::report::Report;

use crate::clock;
use crate::error::{Error, Result};
use crate::root::Root;
use crate::whole_file::{self, Kept, write_all};

/// Where reports are.
pub const FOLDER: &[u8] = b"run/xvdguard";

/// What early boot writes.
pub const EARLY: &str = "early.json";

/// What `probe` writes.
pub const PROBE: &str = "probe.json";

/// What `apply` and `revert` write: which settings are ours.
pub const APPLY: &str = "apply.json";

/// All of them.
pub const ALL: [&str; 3] = [EARLY, PROBE, APPLY];

/// Every report that is there. What cannot be read or understood is noted and left out.
pub fn read_all(root: &Root, oddities: &mut Vec<String>) -> Vec<Report> {
    let mut reports = Vec::new();
    for name in ALL {
        match read(root, name) {
            Ok(report) => reports.extend(report),
            Err(error) => oddities.push(format!("{error}, ignoring")),
        }
    }
    reports
}

/// One report; `None` where there is none.
pub fn read(root: &Root, name: &str) -> Result<Option<Report>> {
    let path = [FOLDER, b"/", name.as_bytes()].concat();
    whole_file::read_document(root, &path, "xvdguard probe")
}

/// Writes a report.
pub fn write_report(root: &Root, name: &str, report: &Report) -> Result<()> {
    whole_file::put_document(&folder(root)?, name, report, Kept::ThisBoot)
}

/// `/run/xvdguard`, made where it is missing.
fn folder(root: &Root) -> Result<Root> {
    whole_file::folder(root, b"run", "xvdguard", Kept::ThisBoot)
}

/// Held while something is written; ends with the process at the latest.
#[derive(Debug)]
pub struct Lock {
    _file: OwnedFd,
}

/// Takes the lock that every writer takes, waits so long for another, and names it then.
pub fn lock(root: &Root, patience: Duration) -> Result<Lock> {
    lock_named(root, "lock", patience)
}

/// Takes the lock of that name in the same way.
pub fn lock_named(root: &Root, name: &str, patience: Duration) -> Result<Lock> {
    let folder = folder(root)?;
    let shown = folder.shown(name.as_bytes());
    let failed = |errno| Error::system("lock", shown.clone(), errno);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
    let file = folder
        .open_with_mode(name.as_bytes(), flags, Mode::from_raw_mode(0o600))
        .map_err(failed)?;
    let until = Instant::now() + patience;
    loop {
        match fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) if Instant::now() < until => {
                clock::pause(Duration::from_millis(50));
            }
            Err(Errno::WOULDBLOCK) => {
                let holder = folder.read_text(name.as_bytes())?.unwrap_or_default();
                let why = format!("process {holder} holds it; wait for it or end it");
                return Err(Error::content("lock", shown, why));
            }
            Err(errno) => return Err(failed(errno)),
        }
    }
    fs::ftruncate(&file, 0).map_err(failed)?;
    write_all(&file, std::process::id().to_string().as_bytes()).map_err(failed)?;
    Ok(Lock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use xvdguard_logic::verdict::report::SCHEMA;

    fn sample() -> (tempfile::TempDir, Root, Report) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("run")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let report = Report {
            schema: SCHEMA,
            tool: "xvdguard".into(),
            version: "0".into(),
            boot_id: Some("b".into()),
            boot_ms: 1,
            time: None,
            policy_hash: None,
            disks: Vec::new(),
            said: Vec::new(),
            xenstore: None,
        };
        (dir, root, report)
    }

    #[test]
    fn a_report_is_read_back_and_readable_for_all() {
        let (dir, root, report) = sample();
        write_report(&root, PROBE, &report).unwrap();
        assert_eq!(read(&root, PROBE).unwrap(), Some(report));
        let file = dir.path().join("run/xvdguard/probe.json");
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        let left: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
        assert_eq!(left.len(), 1);
    }

    #[test]
    fn a_broken_report_is_said_and_left_out() {
        let (dir, root, report) = sample();
        write_report(&root, PROBE, &report).unwrap();
        std::fs::write(dir.path().join("run/xvdguard/early.json"), "{\"schema\":").unwrap();
        let mut oddities = Vec::new();
        assert_eq!(read_all(&root, &mut oddities), [report]);
        assert!(
            oddities[0].contains("early.json") && oddities[0].contains("line 1"),
            "{oddities:?}"
        );
    }

    #[test]
    fn a_second_writer_waits_and_names_the_first() {
        let (_dir, root, _) = sample();
        let first = lock(&root, Duration::ZERO).unwrap();
        let error = lock(&root, Duration::from_millis(60)).unwrap_err().to_string();
        assert!(error.contains(&format!("process {} holds it", std::process::id())), "{error}");
        drop(first);
        lock(&root, Duration::ZERO).unwrap();
    }
}
