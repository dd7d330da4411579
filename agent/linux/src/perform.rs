//! Perform: carry out what was decided, look at what it came to, say it.
//!
//! Only `queue/*` of a disk is written here, in a child, and always read back: kernels round some
//! values in silence.

use std::time::Instant;

use rustix::fs::OFlags;
use rustix::io::{Errno, write};
use xvdguard_logic::effect::{Outcome, QueueSetting};
use xvdguard_logic::text::Text;

use crate::child::{self, Ending, Task};
use crate::error::{Error, Result};
use crate::observe::block_devices::path;
use crate::root::Root;

/// Writes every setting, one after the other for a disk.
pub fn set_queues(
    root: &Root,
    settings: &[QueueSetting],
    deadline: Instant,
) -> Vec<Result<Outcome>> {
    settings.iter().map(|setting| set_queue(root, setting, deadline)).collect()
}

fn set_queue(root: &Root, setting: &QueueSetting, deadline: Instant) -> Result<Outcome> {
    let file = path(&setting.disk, &format!("/queue/{}", setting.attribute));
    if root.read_text(&file)?.is_some_and(|has| is_value(&has, &setting.new)) {
        return Ok(Outcome::AlreadySo);
    }
    let waited_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    let task: Task<'_> = Box::new(|| write_in_child(root, &file, setting.new.as_bytes()));
    match child::run(task, deadline)? {
        Ending::Answered(answer) => failure(&answer)
            .map_or(Ok(()), |errno| Err(Error::system("write", root.shown(&file), errno)))?,
        Ending::Died => {
            let why = "the child that wrote it ended without an answer";
            return Err(Error::content("write", root.shown(&file), why));
        }
        Ending::Silent => return Err(Error::timed_out("write", root.shown(&file), waited_ms)),
    }
    let has = root.read_text(&file)?.unwrap_or_default();
    Ok(if is_value(&has, &setting.new) { Outcome::Done } else { Outcome::Rounded(has) })
}

/// `[none] mq-deadline` has the value `none`.
fn is_value(shown: &Text, wanted: &Text) -> bool {
    shown == wanted || shown.contains(&format!("[{wanted}]"))
}

fn write_in_child(root: &Root, file: &[u8], value: &[u8]) -> Vec<u8> {
    let written = root.reopen().map_err(|_| Errno::NOENT).and_then(|root| {
        let file = root.open(file, OFlags::WRONLY)?;
        write(&file, value)
    });
    let errno = written.err().map_or(0, |errno| errno.raw_os_error());
    errno.to_le_bytes().to_vec()
}

fn failure(answer: &[u8]) -> Option<Errno> {
    let errno = answer.try_into().map_or(0, i32::from_le_bytes);
    (errno != 0).then(|| Errno::from_raw_os_error(errno))
}
