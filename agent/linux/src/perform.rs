//! Perform: carry out what was decided, look at what it came to, say it.
//!
//! Only `queue/*` of a disk is written here, in children, and always read back: kernels round some
//! values in silence. The kernel lets nobody change or read a queue that is being changed while a
//! request hangs in it, so a disk that is silent must cost no other disk its settings.
//! Tests: `tests/early/limits.rs`.

use std::time::Instant;

use rustix::fs::OFlags;
use rustix::io::{Errno, write};
use xvdguard_logic::effect::{Attribute, Outcome, QueueSetting};
use xvdguard_logic::text::Text;

use crate::child::{self, Ending, Task};
use crate::error::{Error, Result};
use crate::observe::block_devices::path;
use crate::root::Root;

/// Makes every setting: all disks side by side, each `write_cache` by itself, the limits of a disk
/// one after the other. The results stand in the order of the settings.
pub fn set_queues(
    root: &Root,
    settings: &[QueueSetting],
    deadline: Instant,
) -> Vec<Result<Outcome>> {
    let waited_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    let groups: Vec<&[QueueSetting]> = settings.chunk_by(belong_together).collect();
    let tasks = groups.iter().map(|group| {
        let task: Task<'_> = Box::new(|| in_child(root, group));
        task
    });
    let endings = child::run_all(tasks.collect(), deadline);
    let results = groups.iter().zip(endings);
    results.flat_map(|(group, ending)| results_of(root, group, ending, waited_ms)).collect()
}

/// Makes one setting in this process, which must be a child.
pub fn set_here(root: &Root, setting: &QueueSetting) -> Result<Outcome> {
    let shown = root.shown(&file(setting));
    set(root, setting).map_err(|errno| Error::system("write", shown, errno))
}

fn belong_together(one: &QueueSetting, next: &QueueSetting) -> bool {
    let is_limit = |setting: &QueueSetting| setting.attribute != Attribute::WriteCache;
    one.disk == next.disk && is_limit(one) && is_limit(next)
}

fn file(setting: &QueueSetting) -> Vec<u8> {
    path(&setting.disk, &format!("/queue/{}", setting.attribute))
}

/// One line for each setting.
fn in_child(root: &Root, group: &[QueueSetting]) -> Vec<u8> {
    let Ok(root) = root.reopen() else { return Vec::new() };
    let lines: Vec<_> = group.iter().map(|setting| encode(set(&root, setting))).collect();
    lines.join(&b'\n')
}

fn set(root: &Root, setting: &QueueSetting) -> std::result::Result<Outcome, Errno> {
    let file = file(setting);
    let read = || root.read_text(&file).map_err(|error| error.errno().unwrap_or(Errno::IO));
    if read()?.is_some_and(|has| is_value(&has, &setting.new)) {
        return Ok(Outcome::AlreadySo);
    }
    write(root.open(&file, OFlags::WRONLY)?, setting.new.as_bytes())?;
    let has = read()?.unwrap_or_default();
    Ok(if is_value(&has, &setting.new) { Outcome::Done } else { Outcome::Rounded(has) })
}

/// `[none] mq-deadline` has the value `none`.
fn is_value(shown: &Text, wanted: &Text) -> bool {
    shown == wanted || shown.contains(&format!("[{wanted}]"))
}

fn encode(result: std::result::Result<Outcome, Errno>) -> Vec<u8> {
    match result {
        Ok(Outcome::Done) => b"d".to_vec(),
        Ok(Outcome::AlreadySo) => b"a".to_vec(),
        Ok(Outcome::Rounded(has)) => [b"r", has.as_bytes()].concat(),
        Err(errno) => format!("e{}", errno.raw_os_error()).into_bytes(),
    }
}

/// What `encode` wrote; none where the child ended before it got there.
fn decode(line: &[u8]) -> Option<std::result::Result<Outcome, Errno>> {
    let (kind, rest) = line.split_first()?;
    match kind {
        b'd' => Some(Ok(Outcome::Done)),
        b'a' => Some(Ok(Outcome::AlreadySo)),
        b'r' => Some(Ok(Outcome::Rounded(Text::from(rest)))),
        b'e' => Some(Err(Errno::from_raw_os_error(std::str::from_utf8(rest).ok()?.parse().ok()?))),
        _ => None,
    }
}

fn results_of(
    root: &Root,
    group: &[QueueSetting],
    ending: Result<Ending>,
    waited_ms: u64,
) -> Vec<Result<Outcome>> {
    const DIED: &str = "the child that wrote it ended without an answer";
    let answer = match &ending {
        Ok(Ending::Answered(answer)) => answer.as_slice(),
        _ => &[],
    };
    let lines = answer.split(|byte| *byte == b'\n').chain(std::iter::repeat(&[][..]));
    let results = group.iter().zip(lines).map(|(setting, line)| {
        let shown = root.shown(&file(setting));
        match (&ending, decode(line)) {
            (Ok(Ending::Silent), _) => Err(Error::timed_out("write", shown, waited_ms)),
            (Err(error), _) => Err(error.clone()),
            (_, Some(result)) => result.map_err(|errno| Error::system("write", shown, errno)),
            (_, None) => Err(Error::content("write", shown, DIED)),
        }
    });
    results.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use xvdguard_logic::policy::queue::QueueAttribute;

    #[test]
    fn an_outcome_crosses_the_pipe_unchanged() {
        let rounded = Ok(Outcome::Rounded(Text::from("[none] mq-deadline")));
        for result in [Ok(Outcome::Done), Ok(Outcome::AlreadySo), rounded, Err(Errno::INVAL)] {
            assert_eq!(decode(&encode(result.clone())), Some(result));
        }
        assert_eq!(decode(b""), None);
        assert_eq!(decode(b"ex"), None);
    }

    #[test]
    fn a_cache_is_switched_off_by_itself_and_limits_keep_their_order() {
        let setting = |disk: &str, attribute| QueueSetting {
            disk: disk.into(),
            attribute,
            old: Text::default(),
            new: Text::default(),
            reason: String::new(),
        };
        let limit = Attribute::Limit(QueueAttribute::NrRequests);
        let settings = [
            setting("xvda", Attribute::WriteCache),
            setting("xvda", limit),
            setting("xvda", limit),
            setting("xvdb", limit),
            setting("xvdc", Attribute::WriteCache),
        ];
        let sizes: Vec<_> = settings.chunk_by(belong_together).map(<[_]>::len).collect();
        assert_eq!(sizes, [1, 2, 1, 1]);
    }
}
