//! The JSON documents against the schemas in `docs/schema`: what the programs print for a recording
//! of a real guest, and what they leave in `/run`. Never a document that was written for the test.

#[cfg(test)]
mod words;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use boon::{Compiler, Schemas};
    use harness::{programs, recordings};
    use serde_json::Value;

    fn repository() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
    }

    fn check(schema: &str, document: &str) {
        let path = repository().join(format!("docs/schema/{schema}.json"));
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let index = compiler.compile(path.to_str().unwrap(), &mut schemas).unwrap();
        let document: Value = serde_json::from_str(document).unwrap();
        if let Err(error) = schemas.validate(&document, index) {
            panic!("{schema}: {error:#}\n{document:#}");
        }
    }

    fn unpacked() -> tempfile::TempDir {
        recordings::unpack("6.1", "after").unwrap().unwrap()
    }

    fn printed(folder: &Path, command: &str) -> String {
        let mut program = Command::new(programs::xvdguard());
        program.arg("--root").arg(folder).arg("--xenstore").arg(folder.join("xenstore.txt"));
        let output = program.args(["--json", command]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn status_prints_what_its_schema_promises() {
        let folder = unpacked();
        check("status", &printed(folder.path(), "status"));
    }

    #[test]
    fn check_prints_what_its_schema_promises() {
        let folder = unpacked();
        let printed = printed(folder.path(), "check");
        check("check", &printed);
        assert!(printed.contains("\"flush-refused\""), "{printed}");
    }

    #[test]
    fn config_prints_what_its_schema_promises() {
        let folder = unpacked();
        let fixtures = repository().join("tests/config/fixtures");
        let config = |file: &Path, command: &str| {
            let mut program = Command::new(programs::xvdguard());
            program.arg("--root").arg(folder.path()).arg("--config").arg(file);
            let output = program.args(["--json", "config", command]).output().unwrap();
            String::from_utf8(output.stdout).unwrap()
        };
        let cmdline = folder.path().join("proc/cmdline");
        for line in ["quiet", "xvdguard=0 barrier=off xvdguard.recover=recover xvdguard.x=1"] {
            std::fs::write(&cmdline, line).unwrap();
            check("config", &config(&fixtures.join("full.toml"), "show"));
            check("config", &config(&repository().join("packaging/config.toml"), "check"));
        }
        for file in std::fs::read_dir(fixtures.join("wrong")).unwrap() {
            check("config", &config(&file.unwrap().path(), "check"));
        }
        check("config", &config(Path::new("/no/such"), "freeze"));
    }

    #[test]
    fn relative_paths_begin_where_the_person_stands() {
        let folder = unpacked();
        let run = |kernel_log: &str| {
            let mut program = Command::new(programs::xvdguard());
            program.current_dir(folder.path()).args(["--root", ".", "--xenstore", "xenstore.txt"]);
            program.args(["--kernel-log", kernel_log, "--json", "status"]).output().unwrap()
        };
        let output = run("dev/kmsg");
        let printed = String::from_utf8(output.stdout).unwrap();
        check("status", &printed);
        assert!(printed.contains("\"refused\"") && printed.contains("\"proven\""), "{printed}");
        let output = run("no/such");
        assert_eq!(output.status.code(), Some(66));
        assert!(String::from_utf8(output.stderr).unwrap().contains("cannot open no/such"));
    }

    #[test]
    fn plan_apply_and_revert_print_and_keep_what_their_schemas_promise() {
        let folder = unpacked();
        for folder in ["etc", "var/lib"].map(|name| folder.path().join(name)) {
            std::fs::create_dir_all(folder).unwrap();
        }
        let fstab = "/dev/xvdb /srv ext4 defaults 0 2\n/dev/xvdd /b ext3 noauto 0 0\n";
        std::fs::write(folder.path().join("etc/fstab"), fstab).unwrap();
        let outcomes = ["plan", "apply", "apply", "revert", "revert"].map(|command| {
            let printed = printed(folder.path(), command);
            check("plan", &printed);
            if let Ok(edits) = std::fs::read(folder.path().join("var/lib/xvdguard/edits.json")) {
                check("edits", std::str::from_utf8(&edits).unwrap());
            }
            let printed: Value = serde_json::from_str(&printed).unwrap();
            printed["outcome"].as_str().unwrap().to_owned()
        });
        assert_eq!(outcomes, ["planned", "done", "nothing", "done", "nothing"]);
    }

    #[test]
    fn probe_prints_and_keeps_what_its_schemas_promise() {
        let Some(_) = harness::requires::root() else { return };
        let folder = unpacked();
        check("probe", &printed(folder.path(), "probe"));
        let report = std::fs::read_to_string(folder.path().join("run/xvdguard/probe.json"));
        check("probe-report", &report.unwrap());
    }

    #[test]
    fn early_boot_kept_what_its_schema_promises() {
        let folder = unpacked();
        let report = std::fs::read_to_string(folder.path().join("run/xvdguard/early.json"));
        check("early-report", &report.unwrap());
    }

    #[test]
    fn explain_prints_what_its_schema_promises() {
        let stories = repository().join("tests/explain/stories");
        for name in ["refused-barrier-3.2", "path-loss-with-its-guest", "full-storage-6.18"] {
            let mut program = Command::new(programs::xvdguard());
            let log = stories.join(format!("{name}.log"));
            let output = program.args(["explain", "--json"]).arg(log).output().unwrap();
            check("explain", &String::from_utf8(output.stdout).unwrap());
        }
    }

    #[test]
    #[should_panic(expected = "status")]
    fn a_document_that_breaks_its_schema_is_caught() {
        let folder = unpacked();
        check("status", &printed(folder.path(), "status").replace("\"refused\"", "\"rejected\""));
    }
}
