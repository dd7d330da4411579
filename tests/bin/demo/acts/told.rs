//! Act: the kernel log of a guest that nobody guarded, told as a story.

use super::Act;
use crate::show::{End, Show};
use crate::stage::Stage;

/// The act.
pub const ACT: Act = Act { title: "what happened", play };

const EXPLAIN: &str = "xvdguard explain incident.log";
const EXPLAIN_JSON: &str = "xvdguard explain --json incident.log";

/// A Linux 3.1 guest on DRBD: eight lines that mean one thing.
const LOG: &str = include_str!("incident.log");

fn play(show: &mut Show) -> Result<(), End> {
    let stage = Stage::new()?;
    stage.write("incident.log", LOG)?;
    show.say("Another guest, years ago. This is what its console showed. What happened?");
    show.run(&stage, "cat incident.log")?.exits_with(0, "a kernel log")?;
    let told = show.run(&stage, EXPLAIN)?;
    let document = stage.output(EXPLAIN_JSON)?;
    let cause = first_cause(&document);
    let came = format!("exit {}, first cause: {cause}", told.code());
    told.expect("exit 10, first cause: blkfront: barrier: write xvda2 op failed", &came)
}

fn first_cause(document: &str) -> &str {
    let cause = document.split_once("\"first_cause\":").map_or("", |(_, rest)| rest);
    let text = cause.split_once("\"text\":").map_or("", |(_, rest)| rest);
    text.split('"').nth(1).unwrap_or("none")
}
