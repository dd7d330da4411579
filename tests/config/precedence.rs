//! Who overrules whom: defaults, the file, the folder by name, the kernel command line.

use serde_json::{Value, json};

use crate::setup::Machine;

fn value(values: &Value, path: &str) -> Value {
    values.pointer(path).unwrap_or_else(|| panic!("no {path} in {values:#}"))["value"].clone()
}

/// Where a value comes from, in one word: a file with its line, a word, `default`.
fn origin(machine: &Machine, values: &Value, path: &str) -> String {
    let origin = &values.pointer(path).unwrap()["origin"];
    match origin["kind"].as_str().unwrap() {
        "file" => {
            let file = origin["file"].as_str().unwrap().replace(&machine.shown(), "");
            format!("{file}:{}", origin["line"])
        }
        "kernel-word" => origin["word"].as_str().unwrap().to_owned(),
        kind => kind.to_owned(),
    }
}

/// The design's table of keys, with the defaults that stand there.
const DEFAULTS: [(&str, &str); 20] = [
    ("/barrier/mode", "\"auto\""),
    ("/barrier/lever", "\"auto\""),
    ("/barrier/rewrite_fstab", "\"auto\""),
    ("/queue", "[]"),
    ("/recovery/default", "\"recover\""),
    ("/recovery/settle", "\"5s\""),
    ("/recovery/stop_within", "\"90s\""),
    ("/recovery/attempts", "2"),
    ("/recovery/in", "\"1h\""),
    ("/recovery/never_stop", "[]"),
    ("/recovery/mount", "{}"),
    ("/reboot/root", "\"reboot\""),
    ("/reboot/settle", "\"30s\""),
    ("/reboot/minimum_uptime", "\"10min\""),
    ("/reboot/at_most", "2"),
    ("/reboot/in", "\"24h\""),
    ("/reboot/jitter", "\"1min\""),
    ("/reboot/orderly", "\"5min\""),
    ("/daemon/tick", "\"30s\""),
    ("/daemon/write_probe", "\"on-suspicion\""),
];

#[test]
fn the_defaults_are_those_of_the_design() {
    let values = Machine::with(&[]).values();
    for (path, expected) in DEFAULTS {
        let expected: Value = serde_json::from_str(expected).unwrap();
        let found = values.pointer(path).unwrap();
        let found = found.get("value").unwrap_or(found);
        assert_eq!(*found, expected, "{path}");
    }
}

#[test]
fn a_later_file_wins_by_key_and_entries_add_up() {
    let machine = Machine::with(&[
        (
            "etc/xvdguard/config.toml",
            "[barrier]\nmode = \"on\"\nlever = \"queue\"\n[[queue]]\nnomerges = 1\n\
             [recovery.mount.\"/srv\"]\naction = \"reboot\"\n",
        ),
        (
            "etc/xvdguard/config.d/10.toml",
            "[barrier]\nmode = \"leave\"\n[[queue]]\nmatch = \"xvda\"\nnomerges = 2\n",
        ),
        (
            "etc/xvdguard/config.d/9.toml",
            "[barrier]\nmode = \"off\"\n[recovery.mount.\"/srv\"]\nshared = true\n",
        ),
    ]);
    let values = machine.values();
    // By name, and "10.toml" comes before "9.toml".
    for (path, expected, from) in [
        ("/barrier/mode", json!("off"), "/etc/xvdguard/config.d/9.toml:2"),
        ("/barrier/lever", json!("queue"), "/etc/xvdguard/config.toml:3"),
        ("/barrier/rewrite_fstab", json!("auto"), "default"),
        ("/queue/0/nomerges", json!(1), "/etc/xvdguard/config.toml:5"),
        ("/queue/0/match", json!("*"), "default"),
        ("/queue/1/nomerges", json!(2), "/etc/xvdguard/config.d/10.toml:5"),
        ("/queue/1/match", json!("xvda"), "/etc/xvdguard/config.d/10.toml:4"),
        ("/queue/1/scheduler", Value::Null, "default"),
        ("/recovery/mount/~1srv/action", json!("reboot"), "/etc/xvdguard/config.toml:7"),
        ("/recovery/mount/~1srv/shared", json!(true), "/etc/xvdguard/config.d/9.toml:4"),
    ] {
        assert_eq!(value(&values, path), expected, "{path}");
        assert_eq!(origin(&machine, &values, path), from, "{path}");
    }
}

#[test]
fn what_is_shown_is_a_configuration_with_the_same_values() {
    let machine = Machine::configured(include_str!("fixtures/full.toml"));
    let shown = machine.run(&["config", "show"]);
    let again = Machine::configured(&shown.out());
    let strip = |values: &Value| {
        let mut values = values.clone();
        forget_origins(&mut values);
        values
    };
    assert_eq!(strip(&again.values()), strip(&machine.values()));
    let unsaid = |line: &&str| line.contains(" = ") && !line.contains(" # ");
    assert_eq!(shown.out().lines().find(unsaid), None, "a value without its origin");
}

/// Leaves the values alone.
fn forget_origins(values: &mut Value) {
    match values {
        Value::Object(entries) => {
            entries.remove("origin");
            entries.values_mut().for_each(forget_origins);
        }
        Value::Array(entries) => entries.iter_mut().for_each(forget_origins),
        _ => {}
    }
}

const MOST: &str = "[barrier]\nmode = \"on\"\n[recovery]\ndefault = \"reboot\"\n\
    [recovery.mount.\"/a\"]\naction = \"report\"\n[recovery.mount.\"/b\"]\naction = \"reboot\"\n\
    [recovery.mount.\"/c\"]\nshared = true\n";

#[test]
fn the_kernel_command_line_beats_files_and_its_last_word_wins() {
    let machine = Machine::configured(MOST);
    for (line, mode, default, root, mounts) in [
        ("quiet", "on", "reboot", "reboot", ["report", "reboot", "reboot"]),
        ("barrier=off barrier=auto", "auto", "reboot", "reboot", ["report", "reboot", "reboot"]),
        ("xvdguard.recover=report", "on", "report", "report", ["report"; 3]),
        ("xvdguard.recover=recover", "on", "recover", "report", ["report", "recover", "recover"]),
        ("xvdguard.recover=reboot", "on", "reboot", "reboot", ["report", "reboot", "reboot"]),
        (
            "xvdguard.recover=report xvdguard.recover=sometimes",
            "on",
            "report",
            "report",
            ["report"; 3],
        ),
        (
            "-- barrier=off xvdguard.recover=report",
            "on",
            "reboot",
            "reboot",
            ["report", "reboot", "reboot"],
        ),
    ] {
        machine.write("proc/cmdline", format!("root=/dev/xvda1 {line}\n"));
        let ran = machine.run(&["--json", "config", "show"]);
        let document: Value = serde_json::from_str(&ran.out()).unwrap();
        let values = &document["values"];
        assert_eq!(value(values, "/barrier/mode"), mode, "{line}");
        assert_eq!(value(values, "/recovery/default"), default, "{line}");
        assert_eq!(value(values, "/reboot/root"), root, "{line}");
        for (point, action) in ["a", "b", "c"].iter().zip(mounts) {
            assert_eq!(
                value(values, &format!("/recovery/mount/~1{point}/action")),
                action,
                "{line}"
            );
        }
        assert_eq!(document["notes"].as_array().unwrap().len(), line.matches("sometimes").count());
    }
}

#[test]
fn the_word_that_decided_is_named() {
    let machine = Machine::configured("[barrier]\nmode = \"on\"\n[reboot]\nat_most = 0\n");
    machine.write("proc/cmdline", "quiet xvdguard-recover=1 barrier=0 xvdguard.recover=report\n");
    let values = machine.values();
    assert_eq!(value(&values, "/barrier/mode"), "off");
    assert_eq!(origin(&machine, &values, "/barrier/mode"), "barrier=0");
    assert_eq!(origin(&machine, &values, "/reboot/root"), "xvdguard.recover=report");
    let shown = machine.run(&["config", "show"]).out();
    let line = shown.lines().find(|line| line.starts_with("mode = ")).unwrap();
    assert!(line.ends_with("# \"barrier=0\" on the kernel command line"), "{line}");
}

#[test]
fn a_machine_that_was_told_to_do_nothing_says_so_first() {
    let machine = Machine::configured("");
    for word in ["xvdguard=off", "xvdguard=0", "xvdguard=no"] {
        machine.write("proc/cmdline", format!("{word} quiet\n"));
        let shown = machine.run(&["config", "show"]).out();
        let first =
            format!("# \"{word}\" on the kernel command line: nothing of this is in force\n");
        assert!(shown.starts_with(&first), "{shown}");
    }
}
