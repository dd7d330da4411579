//! `replay`: steps through a recording of the daemon's turns, and asks `decide` again.
//!
//! Looks at the file alone, and does nothing of what is decided.

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use xvdguard_linux::error::Error;
use xvdguard_linux::log_source::LogSource;
use xvdguard_linux::recording::reader::{Reader, Wrong};
use xvdguard_linux::recording::{Decided, Turn};
use xvdguard_logic::decide::decide;
use xvdguard_logic::wording::replay as wording;

use super::Voice;
use crate::arguments::{Global, Replay};
use crate::exit::Failure;
use crate::{json, terminal};

/// Runs the command.
pub fn run(global: &Global, options: &Replay) -> Result<ExitCode, Failure> {
    let voice = Voice::new(global);
    let name = options.file.as_os_str();
    let source = match name == "-" {
        true => LogSource::standard_input(),
        false => LogSource::named(name.as_bytes()).map_err(Failure::Input)?,
    };
    let mut content = Vec::new();
    source.read(|piece| content.extend_from_slice(piece)).map_err(Failure::Input)?;
    let failed = |why: String| Failure::Input(Error::content("replay", name.as_bytes(), why));
    let mut reader = Reader::new(&content).map_err(|_| failed(wording::NO_RECORDING.into()))?;
    let (mut turns, mut different) = (Vec::new(), 0);
    let mut count = 0;
    while let Some(turn) = next(&mut reader).map_err(failed)? {
        count += 1;
        let decision = decide(&turn.settings, turn.memory.clone(), &turn.world);
        let today = Decided::of(&decision, &turn.memory, &decision.memory);
        let is_same = today == turn.decided;
        different += usize::from(!is_same);
        if voice.json {
            turns.push(json::replayed(&turn, (!is_same).then_some(today)));
        } else if !is_same || !voice.quiet {
            tell(count, &turn, (!is_same).then_some(&today));
        }
    }
    match voice.json {
        true => terminal::print(&json::replay(&reader.version, &turns)),
        false => terminal::print(&(wording::end(count, different) + "\n")),
    }
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn next(reader: &mut Reader<'_>) -> Result<Option<Turn>, String> {
    reader.next_turn().map_err(|wrong| match wrong {
        Wrong::NoRecording => wording::NO_RECORDING.into(),
        Wrong::Line(line) => wording::bad_line(line),
        Wrong::Part(line, part) => wording::bad_part(line, &part, &reader.version),
    })
}

fn tell(number: usize, turn: &Turn, today: Option<&Decided>) {
    let mut lines = vec![wording::turn(number, turn.world.seen.boot_ms)];
    let ended = turn.world.ended.iter();
    lines.extend(ended.map(|one| wording::ended(&turn.memory, one.id, &one.outcome)));
    lines.extend(decided(&turn.decided));
    if let Some(today) = today {
        lines.push(wording::OTHERWISE.into());
        lines.extend(decided(today));
    }
    terminal::print(&(lines.join("\n") + "\n"));
}

fn decided(what: &Decided) -> Vec<String> {
    let moves = what.moves.iter();
    let moves = moves.map(|one| wording::moved(&one.mount_point, &one.moved.from, &one.moved.to));
    let orders = what.orders.iter().map(wording::ordered);
    moves.chain(orders).chain([wording::wakes(what.wake_ms)]).collect()
}
