//! The audit, by the program as a person runs it: for each rule a guest that it is about and one
//! that it is not, both told in words (`fixture`). Never a fixture that another rule needs.

#[cfg(test)]
mod command;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod guests;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod rules;

#[cfg(test)]
mod checked {
    //! Runs `xvdguard check` on a directory.

    use std::path::Path;
    use std::process::{Command, Output};

    use harness::programs;
    use serde_json::Value;

    /// The program, about to look at this directory, with its xenstore where it has one.
    pub fn program(root: &Path) -> Command {
        let mut program = Command::new(programs::xvdguard());
        program.arg("--root").arg(root);
        let listing = root.join("xenstore.txt");
        if listing.exists() {
            program.arg("--xenstore").arg(listing);
        }
        program
    }

    /// Its output with these words.
    pub fn run(root: &Path, words: &[&str]) -> Output {
        program(root).args(words).output().unwrap()
    }

    /// The document of `check --json`, without the name that the directory has here.
    pub fn document(root: &Path) -> Value {
        let output = run(root, &["check", "--json"]);
        let text = String::from_utf8(output.stdout).unwrap().replace(root.to_str().unwrap(), "");
        serde_json::from_str(&text).unwrap_or_else(|why| {
            panic!("{why}: {text}{}", String::from_utf8_lossy(&output.stderr))
        })
    }
}
