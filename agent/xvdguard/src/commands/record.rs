//! `record`: this machine as an archive that `--root` can look at.

use std::process::ExitCode;

use super::{Session, say_oddities};
use crate::arguments::Record;
use crate::exit::Failure;
use crate::{record, terminal};

/// Runs the command.
pub fn run(mut session: Session, options: &Record) -> Result<ExitCode, Failure> {
    let mut seen = session.observe();
    let entries = record::entries(&session.world.root, &mut seen, options.anonymous);
    let archive = record::archive::pack(&entries).map_err(Failure::Inner)?;
    record::archive::save(&options.output, &archive).map_err(Failure::Output)?;
    say_oddities(&seen, session.voice);
    if !session.voice.quiet {
        let output = options.output.display();
        terminal::print(&format!(
            "{} files in {output}. Look at it with: mkdir R && tar -xf {output} -C R && \
             xvdguard --root R --xenstore R/{} status\n",
            entries.len(),
            record::LISTING,
        ));
    }
    Ok(ExitCode::SUCCESS)
}
