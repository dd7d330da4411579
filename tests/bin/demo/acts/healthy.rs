//! Act: a backend that does what it promises, and xvdguard that leaves it alone.

use super::{Act, EARLY_BOOT, PROBE, WRITE_CACHE};
use crate::show::{End, Show};
use crate::stage::{Stage, verdict};

/// The act.
pub const ACT: Act = Act { title: "on a healthy backend", play };

fn play(show: &mut Show) -> Result<(), End> {
    let stage = Stage::new()?;
    let before = stage.settings()?;
    let probe = show.run(&stage, PROBE)?;
    let came = format!("exit {}, xvda2 {}", probe.code(), verdict(&stage.report("probe")));
    probe.expect("exit 0, xvda2 proven", &came)?;

    let early = show.run(&stage, EARLY_BOOT)?;
    let found = verdict(&stage.report("early")).to_owned();
    let is_same = stage.settings()? == before && stage.output("cat options")?.is_empty();
    let touched = if is_same { "nothing is touched" } else { "something is touched" };
    early.expect("xvda2 proven, nothing is touched", &format!("xvda2 {found}, {touched}"))?;
    let cache = show.run(&stage, WRITE_CACHE)?;
    let came = cache.output().trim_end().to_owned();
    cache.expect("write back", &came)
}
