//! `xvdguard-generate FOLDER`: writes the man pages and completions of xvdguard to a folder.
//!
//! They come from what the programs themselves say: the command line of clap, the rules of check,
//! the installed configuration, the schemas of the documents. What surrounds it is in
//! `packaging/man/`. A program of its own, so that none of this is in the one that is shipped.

#[path = "../arguments.rs"]
#[expect(dead_code, reason = "only the interface is asked for here")]
mod arguments;
mod commands;
mod completions;
mod documents;
mod keys;
mod roff;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use xvdguard_logic::{audit, wording};

/// Each page with the text around what is generated.
const PAGES: [(&str, &str); 5] = [
    ("xvdguard.8", include_str!("../../../../packaging/man/xvdguard.8")),
    ("xvdguard-early.8", include_str!("../../../../packaging/man/xvdguard-early.8")),
    ("xvdguard.toml.5", include_str!("../../../../packaging/man/xvdguard.toml.5")),
    (
        "xvdguard-kernel-command-line.7",
        include_str!("../../../../packaging/man/xvdguard-kernel-command-line.7"),
    ),
    ("xvdguard-host.7", include_str!("../../../../packaging/man/xvdguard-host.7")),
];
const EARLY_USAGE: &str = include_str!("../../../../initramfs/early/src/usage.txt");

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        return failed("usage: xvdguard-generate FOLDER");
    };
    match write(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("cannot write to {}: {error}", Path::new(&folder).display())),
    }
}

#[expect(clippy::print_stderr, reason = "the one place of this program that speaks")]
fn failed(why: &str) -> ExitCode {
    eprintln!("xvdguard-generate: {why}");
    ExitCode::FAILURE
}

fn write(folder: &Path) -> std::io::Result<()> {
    let man = folder.join("man");
    fs::create_dir_all(&man)?;
    let parts = parts()?;
    for (name, text) in PAGES {
        let page = parts.iter().fold(text.to_owned(), |page, (mark, part)| {
            page.replace(&format!("{mark}\n"), part).replace(mark, part.trim_end())
        });
        fs::write(man.join(name), page)?;
    }
    completions::write(folder)
}

/// What stands in the place of each mark.
fn parts() -> std::io::Result<[(&'static str, String); 9]> {
    let interface = arguments::interface();
    let (introduction, keys) = keys::parts();
    Ok([
        ("@VERSION@", env!("CARGO_PKG_VERSION").to_owned()),
        ("@OPTIONS@", commands::options(&interface)),
        ("@COMMANDS@", commands::sections(&interface)),
        ("@RULES@", rules()),
        ("@PLAN_RULES@", plan_rules()),
        ("@DOCUMENTS@", documents::sections()?),
        ("@INTRODUCTION@", introduction),
        ("@KEYS@", keys),
        ("@USAGE@", roff::text(EARLY_USAGE)),
    ])
}

fn rules() -> String {
    let rule = |rule: &audit::Rule| {
        let severity = format!("({:?})", rule.severity).to_lowercase();
        roff::item(&format!("{} {severity}", rule.id), rule.meaning)
    };
    audit::rules().map(rule).collect()
}

fn plan_rules() -> String {
    let rule = |said: &wording::plan::Said| {
        let severity = format!("({:?})", said.severity).to_lowercase();
        let what = if said.text.is_empty() { "what is so stands behind it" } else { said.text };
        let about = format!("{what}. Do: {}.", said.remedy);
        roff::item(&format!("{} {severity}", said.rule), &about)
    };
    wording::plan::ALL.iter().map(rule).collect()
}
