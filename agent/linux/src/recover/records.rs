//! `/var/lib/xvdguard/boots`: a record of each boot, which is what holds back a loop of reboots.
//!
//! Written while the guest is healthy, so that nothing has to be written when root is dead. Of
//! records that cannot be read nothing is assumed: without them there is no automatic reboot.

use std::time::Instant;

use xvdguard_logic::recovery::effects::{FailureKind, Outcome};
use xvdguard_logic::recovery::memory::BootRecord;
use xvdguard_logic::recovery::world::Guard;
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, refusal};
use crate::child::{self, Ending, Task};
use crate::root::Root;
use crate::whole_file::{self, Kept};

const FOLDER: &[u8] = b"var/lib/xvdguard";
const NAME: &str = "boots";
/// More than any window of the policy asks for.
const MOST: usize = 64;

/// All records, read by a child: they lie on a disk, which may be sick already.
pub fn read_in_time(root: &Root, deadline: Instant) -> Guard {
    let task: Task<'_> = Box::new(|| {
        let guard = root.reopen().map(|root| read(&root));
        guard.map_or_else(|_| Vec::new(), |guard| encode(&guard))
    });
    let silent = || Guard { oddity: Some(wording::RECORDS_SILENT.into()), ..Guard::default() };
    match child::run(task, deadline) {
        Ok(Ending::Answered(answer)) => decode(&answer).unwrap_or_else(silent),
        _ => silent(),
    }
}

fn encode(guard: &Guard) -> Vec<u8> {
    whole_file::to_bytes(&(&guard.records, &guard.oddity))
}

fn decode(answer: &[u8]) -> Option<Guard> {
    let (records, oddity) = whole_file::from_bytes(answer)?;
    Some(Guard { records, oddity, ..Guard::default() })
}

/// All records, the oldest first.
fn read(root: &Root) -> Guard {
    let path = [FOLDER, b"/", NAME.as_bytes()].concat();
    match whole_file::read_document(root, &path, wording::REMOVE_RECORDS) {
        Ok(records) => Guard { records: records.unwrap_or_default(), ..Guard::default() },
        Err(error) => Guard { oddity: Some(error.to_string()), ..Guard::default() },
    }
}

/// Puts this boot's record in the place of its last one, and reads it back.
pub fn write(root: &Root, record: &BootRecord) -> Result<Outcome, Refusal> {
    let failed = |error| refusal(FailureKind::Storage, error);
    let mut records = read(root).records;
    if records.last() == Some(record) {
        return Ok(Outcome::AlreadySo);
    }
    records.retain(|one| one.boot_id != record.boot_id);
    records.push(record.clone());
    let surplus = records.len().saturating_sub(MOST);
    records.drain(..surplus);
    let folder = whole_file::folder(root, b"var/lib", "xvdguard", Kept::ForGood).map_err(failed)?;
    whole_file::put_document(&folder, NAME, &records, Kept::ForGood).map_err(failed)?;
    match read(root).records == records {
        true => Ok(Outcome::Done),
        false => Err(refusal(FailureKind::Storage, wording::RECORD_NOT_READ_BACK)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use xvdguard_logic::text::Text;

    fn record(boot: u64, ended_well: bool) -> BootRecord {
        let boot_id = Text::from(format!("boot-{boot}"));
        BootRecord { boot_id, began_s: boot, ended_well, ..BootRecord::default() }
    }

    #[test]
    fn a_boot_has_one_record_and_the_oldest_go() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let deadline = || Instant::now() + std::time::Duration::from_secs(30);
        assert_eq!(read_in_time(&root, deadline()), Guard::default());
        for boot in 0..100 {
            assert_eq!(write(&root, &record(boot, false)), Ok(Outcome::Done));
        }
        assert_eq!(write(&root, &record(99, true)), Ok(Outcome::Done));
        assert_eq!(write(&root, &record(99, true)), Ok(Outcome::AlreadySo));
        let records = read_in_time(&root, deadline()).records;
        assert_eq!((records.len(), &records[63]), (MOST, &record(99, true)));
    }

    #[test]
    fn records_that_cannot_be_read_are_an_oddity() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib/xvdguard")).unwrap();
        std::fs::write(dir.path().join("var/lib/xvdguard/boots"), "[{").unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        assert!(read(&root).oddity.unwrap().contains("boots"));
    }
}
