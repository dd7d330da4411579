//! Saying it where somebody hears it: journal, syslog or standard error, the kernel log, the host,
//! and for what a person must do terminals and the message of the day.
//!
//! Each announcement is said once, also by a daemon that was killed and came back. Nothing here
//! waits: a terminal that does not take it is left out.

use std::time::{Duration, Instant};

use xvdguard_linux::root::Root;
use xvdguard_linux::whole_file::{self, Kept};
use xvdguard_linux::world::World as Places;
use xvdguard_linux::xenstore::Source;
use xvdguard_linux::{kmsg, reports, terminals};
use xvdguard_logic::recovery::effects::{Announcement, EffectId, Level, Outcome};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::daemon as wording;

use super::syslog;
use crate::terminal;

/// The names of what was said last, for the next daemon.
const SAID: &str = "said.json";
/// More than are ever under way.
const REMEMBERED: usize = 128;
/// Where the host reads the last alert.
const HOST: &str = "data/xvdguard/alert";
/// What a node may hold for us.
const HOST_BYTES: usize = 1024;
/// Where pam_motd(8) looks in memory.
const MOTD_FOLDER: &[u8] = b"run/motd.d";
const MOTD: &str = "60-xvdguard";
const HOST_WAIT: Duration = Duration::from_millis(500);

/// What was said in this boot.
#[derive(Debug, Default)]
pub struct Voice {
    said: Vec<EffectId>,
}

impl Voice {
    /// With what an earlier daemon of this boot has said.
    pub fn new(root: &Root) -> Voice {
        let path = [reports::FOLDER, b"/", SAID.as_bytes()].concat();
        let said = whole_file::read_document(root, &path, "").ok().flatten();
        Voice { said: said.unwrap_or_default() }
    }

    /// Says it, unless it was said.
    pub fn say(&mut self, places: &mut Places, id: EffectId, what: &Announcement) -> Outcome {
        if self.said.contains(&id) {
            return Outcome::AlreadySo;
        }
        speak(places, what);
        self.said.push(id);
        let surplus = self.said.len().saturating_sub(REMEMBERED);
        self.said.drain(..surplus);
        let folder = places.root.enter(reports::FOLDER);
        // Without it the worst is a sentence that is heard twice.
        let _ = folder
            .and_then(|folder| whole_file::put_document(&folder, SAID, &self.said, Kept::ForGood));
        Outcome::Done
    }
}

/// One sentence of the daemon's own.
pub fn note(text: &str) {
    log(Level::Notice, text);
}

/// Something that a person has to mend.
pub fn error(text: &str) {
    log(Level::Warning, &format!("error: {text}"));
}

fn speak(places: &mut Places, what: &Announcement) {
    log(what.level, &what.text);
    if what.level == Level::Notice {
        return;
    }
    kmsg::warn(&places.root, &what.text);
    tell_host(places, &what.text);
    if places.root.is_machine() {
        terminals::tell(&places.root, &wording::to_a_terminal(&what.text));
    }
}

/// Standard error, with the level that a journal understands (sd-daemon(3)).
fn log(level: Level, text: &str) {
    let is_journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let mark = match level {
        Level::Notice => "<5>",
        Level::Warning => "<4>",
        Level::Alert => "<1>",
    };
    terminal::say(&format!("{}xvdguard: {text}", if is_journal { mark } else { "" }));
    if syslog::is_needed() {
        syslog::say(level, text);
    }
}

fn tell_host(places: &mut Places, text: &str) {
    let Some(Source::Live(client)) = &mut places.xenstore else { return };
    let mut end = text.len().min(HOST_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    // The host may not have given us the node; everybody else has heard it.
    let _ = client.write(HOST, Text::from(&text[..end]), Instant::now() + HOST_WAIT);
}

/// What whoever logs in next must know; no file where there is nothing.
pub fn message_of_the_day(root: &Root, lines: &[String]) {
    if lines.is_empty() {
        if let Ok(folder) = root.enter(MOTD_FOLDER) {
            let _ = whole_file::remove(&folder, MOTD, Kept::ThisBoot);
        }
        return;
    }
    let content = lines.join("\n") + "\n";
    let folder = whole_file::folder(root, b"run", "motd.d", Kept::ThisBoot);
    // Where there is no pam_motd, nobody misses it.
    let _ = folder
        .and_then(|folder| whole_file::put(&folder, MOTD, content.as_bytes(), Kept::ThisBoot));
}
