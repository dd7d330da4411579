//! Completions for bash, zsh and fish, by the names under which each shell looks for them.

use std::path::Path;

use clap_complete::{Shell, generate_to};

use crate::arguments;

/// Writes them to a folder.
pub fn write(folder: &Path) -> std::io::Result<()> {
    for (shell, made, name) in [
        (Shell::Bash, "xvdguard.bash", "xvdguard"),
        (Shell::Zsh, "_xvdguard", "_xvdguard"),
        (Shell::Fish, "xvdguard.fish", "xvdguard.fish"),
    ] {
        let below = folder.join(shell.to_string());
        std::fs::create_dir_all(&below)?;
        generate_to(shell, &mut arguments::interface(), "xvdguard", &below)?;
        std::fs::rename(below.join(made), below.join(name))?;
    }
    Ok(())
}
