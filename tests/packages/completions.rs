//! The completions, by the shells they are made for: each reads its own, and what somebody has
//! begun to type is finished. bash is everywhere; zsh and fish, 40 MB of them, are there where all
//! rounds are played. Never reads what is set up for a user: each shell starts bare.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::{programs, requires};

use crate::{made, manual};

const LIMIT: Duration = Duration::from_secs(30);

/// What is typed, and what it can only become.
const WORDS: [([&str; 2], &str); 4] = [
    (["xvdguard", "expl"], "explain"),
    (["xvdguard", "--no-c"], "--no-color"),
    (["xvdguard explain", "--pict"], "--picture"),
    (["xvdguard config", "fr"], "freeze"),
];

/// Calls the function as bash does: bash(1), "Programmable Completion".
const BASH: &str = r#". "$1" && read -ra COMP_WORDS <<<"$2 $3" || exit
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
[[ $(complete -p xvdguard) == *' -F _xvdguard '* ]] || exit
_xvdguard xvdguard "$3" "${COMP_WORDS[COMP_CWORD - 1]}" && printf '%s\n' "${COMPREPLY[@]}""#;
/// `compinit` takes the file by its first line and its name, and the first use loads it.
const ZSH: &str = "fpath=($1 $fpath); autoload -Uz compinit && compinit -D -u && \
    print -r -- $_comps[xvdguard] && autoload +X _xvdguard && whence -w _xvdguard";
/// What is offered; a tab and the description follow.
const FISH: &str = r#"source $argv[1]; and complete -C "$argv[2] $argv[3]""#;

/// Runs a shell, which must have nothing to complain of.
#[track_caller]
fn run(words: &[&str]) -> String {
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).env("HOME", "/nonexistent");
    let ran = programs::run(command, LIMIT).unwrap();
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{words:?}");
    ran.out()
}

/// The folder of a shell that is installed where all rounds are played.
#[track_caller]
fn folder(shell: &str) -> Option<String> {
    made::folder()?;
    requires::program(shell)?;
    Some(text(&manual::folder()?.join(shell)))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[test]
fn bash_completes_a_word() {
    let Some(folder) = manual::folder() else { return };
    let file = text(&folder.join("bash/xvdguard"));
    assert_eq!(run(&["bash", "--norc", "-n", &file]), "");
    for ([before, begun], whole) in WORDS {
        let said = run(&["bash", "--norc", "-c", BASH, "bash", &file, before, begun]);
        assert_eq!(said, format!("{whole}\n"), "{before} {begun}");
    }
}

#[test]
fn zsh_takes_the_file_for_the_command() {
    let Some(folder) = folder("zsh") else { return };
    assert_eq!(run(&["zsh", "-f", "-n", &format!("{folder}/_xvdguard")]), "");
    let said = run(&["zsh", "-f", "-c", ZSH, "zsh", &folder]);
    assert_eq!(said, "_xvdguard\n_xvdguard: function\n");
}

#[test]
fn fish_completes_a_word() {
    let Some(folder) = folder("fish") else { return };
    let file = format!("{folder}/xvdguard.fish");
    assert_eq!(run(&["fish", "--no-config", "--no-execute", &file]), "");
    for ([before, begun], whole) in WORDS {
        let said = run(&["fish", "--no-config", "-c", FISH, &file, before, begun]);
        let offered: Vec<_> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert_eq!(offered, [whole], "{before} {begun}");
    }
}
