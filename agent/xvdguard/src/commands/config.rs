//! `config`: validates the configuration, shows what is in force, freezes it for the image.
//!
//! Looks at no disk and asks no xenstore.

use std::path::Path;
use std::process::ExitCode;

use xvdguard_linux::root::Root;
use xvdguard_linux::whole_file::Kept;
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::policy::frozen;
use xvdguard_logic::wording::config as wording;

use super::Voice;
use crate::arguments::{Config, Global};
use crate::config::{self, Configuration, show};
use crate::exit::Failure;
use crate::{json, output, terminal};

/// Runs the command.
pub fn run(global: &Global, command: &Config) -> Result<ExitCode, Failure> {
    let root = global.places().open_root().map_err(Failure::Input)?;
    let voice = Voice::new(global);
    let read = match config::load(&root, global.config.as_deref()) {
        Ok(read) => read,
        Err(problems) if voice.json => {
            terminal::print(&json::config_problems(&problems));
            return Ok(Failure::Configuration(problems).code());
        }
        Err(problems) => return Err(Failure::Configuration(problems)),
    };
    match command {
        Config::Check => check(&root, read, voice),
        Config::Show => show(&root, read, voice),
        Config::Freeze(options) => freeze(read, options.output.as_deref()),
    }
}

fn check(root: &Root, read: Configuration, voice: Voice) -> Result<ExitCode, Failure> {
    if voice.json {
        return show(root, read, voice);
    }
    say_notes(&notes(root, &read, &words(root)?), voice);
    terminal::print(&wording::valid(&read.files));
    Ok(ExitCode::SUCCESS)
}

fn show(root: &Root, read: Configuration, voice: Voice) -> Result<ExitCode, Failure> {
    let words = words(root)?;
    let notes = notes(root, &read, &words);
    let Configuration { settings, files, .. } = read;
    let settings = settings.effective(&words);
    if voice.json {
        terminal::print(&json::config(&files, &settings, &notes));
        return Ok(ExitCode::SUCCESS);
    }
    say_notes(&notes, voice);
    let inert = settings.policy.inert.as_ref().map(wording::inert).unwrap_or_default();
    terminal::print(&(inert + &show::toml(&settings)));
    Ok(ExitCode::SUCCESS)
}

/// The image carries what the files say; the kernel command line speaks for itself at each boot.
fn freeze(read: Configuration, output: Option<&Path>) -> Result<ExitCode, Failure> {
    let settings = read.settings.effective(&KernelWords::default());
    let content = frozen::print(&settings.policy);
    match output {
        None => terminal::print(&content),
        Some(path) => output::write(path, content.as_bytes(), Kept::ForGood)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn words(root: &Root) -> Result<KernelWords, Failure> {
    let line = root.read_text(b"proc/cmdline").map_err(Failure::Input)?;
    Ok(KernelWords::parse(&line.unwrap_or_default()))
}

fn notes(root: &Root, read: &Configuration, words: &KernelWords) -> Vec<String> {
    let passed_over = read.passed_over.iter().map(wording::passed_over);
    let stale = config::is_image_stale(root, &frozen::hash(&read.settings.policy))
        .then(|| wording::STALE_IMAGE.into());
    passed_over.chain(words.oddities.iter().cloned()).chain(stale).collect()
}

fn say_notes(notes: &[String], voice: Voice) {
    let notes = notes.iter().filter(|_| !voice.quiet);
    notes.for_each(|note| terminal::say(&format!("xvdguard: note: {note}")));
}
