//! A story told without xvdguard and with it, and what came of it as a row of the report.

use std::time::Instant;

use harness::failure::{Failure, Result};

use crate::build::GuestKernel;
use crate::play::Player;
use crate::results::Row;
use crate::say;
use crate::story::{Stage, Story};

/// The row, where the story is told on this kernel.
pub fn tell(player: &mut Player, kernel: &GuestKernel, story: &Story) -> Option<Row> {
    if !(story.is_for)(kernel) {
        return None;
    }
    let begin = Instant::now();
    let (without, with) = (story.without.on(kernel), story.with.on(kernel));
    let mut wrong = Vec::new();
    let mut one = |is_guarded: bool, expected: &str| {
        let guard = if is_guarded { "with" } else { "without" };
        let told = once(player, kernel, story, is_guarded);
        say(&format!("{} {guard} xvdguard, {}: {told:?}", kernel.name, story.name));
        match told {
            Ok(told) if is_as(&told, expected) => told,
            Ok(told) => {
                wrong.push(format!("{guard}, {told}, and not {expected}"));
                told
            }
            Err(failure) => {
                wrong.push(format!("{guard}, {failure}"));
                "not seen".to_owned()
            }
        }
    };
    // A story that needs xvdguard is not told without it.
    let told = if without.is_empty() { String::new() } else { one(false, without) };
    let told = [told, one(true, with)];
    let [seen_without, seen_with] = told;
    Some(Row {
        scenario: story.name.to_owned(),
        kernel: kernel.name.clone(),
        without: seen_without,
        with: seen_with,
        expected: format!("{without} → {with}"),
        result: if wrong.is_empty() { "pass".into() } else { format!("FAIL {}", wrong.join("; ")) },
        seconds: begin.elapsed().as_secs(),
    })
}

/// What was measured may follow a colon.
fn is_as(told: &str, expected: &str) -> bool {
    told.strip_prefix(expected).is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
}

fn once(
    player: &mut Player,
    kernel: &GuestKernel,
    story: &Story,
    is_guarded: bool,
) -> Result<String> {
    let guard = is_guarded.then_some(story.guard);
    if story.is_debian {
        player.leave_bed();
    }
    player
        .twice(&mut |bed| (story.tell)(&mut Stage::new(bed, kernel, guard)))
        .map_err(|failure| Failure::new(format!("bad weather: {failure}")))
}
