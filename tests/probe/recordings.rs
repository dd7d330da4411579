//! `record`: another machine sees in the archive what this one sees, and nothing that it should
//! not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::blkback::refuse_flushes;
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::guest_xenstore::VbdSpec;
use harness::programs;
use harness::scratch::Scratch;
use harness::{program, requires};
use serde_json::Value;

use crate::setup::{document, probe, verdict};

const HOST: &str = "mail7";
const UUID: &str = "aeb329f7-6d7a-4164-ba74-1b6e5bd7036d";
const SECRET: &str = "hunter2";

/// A guest with a disk of each kind, probed, whose owner would not like to be known.
fn guest() -> Guest {
    let mut guest = Guest::new().unwrap();
    let refusing = format!("/dev/mapper/{HOST}--vg-root");
    let read_only = VbdSpec { mode: "r", kind: "qdisk", ..VbdSpec::default() };
    let specs = [
        VbdSpec { params: &refusing, ..VbdSpec::default() },
        VbdSpec { params: "/dev/drbd3", ..VbdSpec::default() },
        read_only,
    ];
    for spec in specs {
        guest.add_disk(FaultyDisk::new(1 << 20).unwrap(), &spec).unwrap();
    }
    let root = &guest.root;
    root.write("proc/cmdline", &format!("root=/dev/mapper/{HOST}--vg-root ro quiet\n")).unwrap();
    root.write("proc/sys/kernel/hostname", &format!("{HOST}.example.net\n")).unwrap();
    root.say_mounted("xvdb", r"/srv/a\040b", "ext4", "rw,errors=remount-ro").unwrap();
    guest.store.write("/local/domain/0/vm", &format!("/vm/{UUID}")).unwrap();
    guest.store.write("/local/domain/0/name", HOST).unwrap();
    let user_says = format!("30,1,1000000,-;systemd[1]: {SECRET} of {HOST}");
    guest.write_log(&[&user_says, &format!(" KEY={SECRET}"), "6,2,2000000,-;vda: vda1"]).unwrap();
    let key = guest.flush_key(0);
    let probed = refuse_flushes(&guest.disks[0].storage, &guest.store, &key, || probe(&guest, &[]));
    probed.unwrap();
    guest
}

fn record(guest: &Guest, folder: &Scratch, name: &str, words: &[&str]) -> PathBuf {
    let archive = folder.path().join(name);
    let file = archive.to_string_lossy();
    let ran = guest.xvdguard(&[&["record", "-o", &file], words].concat()).unwrap();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    archive
}

/// Unpacks it as it says, and looks at it with nothing else at hand.
fn status_of(archive: &Path, folder: &Scratch) -> Value {
    let at = folder.path().join("unpacked");
    fs::create_dir_all(&at).unwrap();
    let words = ["-xf".as_ref(), archive.as_os_str(), "-C".as_ref(), at.as_os_str()];
    program::run("tar", &words).unwrap();
    let mut command = programs::command("xvdguard").unwrap();
    command.arg("--root").arg(&at).arg("--xenstore").arg(at.join("xenstore.txt"));
    command.args(["--json", "status"]);
    let ran = programs::run(command, Duration::from_secs(20)).unwrap();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    document(&ran)
}

/// What must be the same here and there.
fn essence(status: &Value) -> Value {
    let disks = status["disks"].as_array().unwrap().iter();
    let disks: Vec<Value> = disks
        .map(|disk| {
            let keys = ["name", "vbd", "backend_kind", "verdict", "reason", "advertised"];
            keys.map(|key| disk[key].clone()).into()
        })
        .collect();
    serde_json::json!([status["xen"], disks, status["volumes"]])
}

fn contains(archive: &Path, word: &str) -> bool {
    let bytes = fs::read(archive).unwrap().to_ascii_lowercase();
    bytes.windows(word.len()).any(|part| part == word.to_lowercase().as_bytes())
}

#[test]
fn a_recording_shows_the_same_disks_and_volumes_as_the_machine() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let (guest, folder) = (guest(), Scratch::new("recording").unwrap());
    let live = document(&guest.xvdguard(&["--json", "status"]).unwrap());
    let verdicts = ["xvda", "xvdb", "xvdc"].map(|name| verdict(&live, name).0.to_owned());
    assert_eq!(verdicts, ["refused", "proven", "absent"]);
    assert_eq!(live["volumes"][0]["mount_point"], "/srv/a b", "{live:#}");
    let archive = record(&guest, &folder, "a.tar", &[]);
    assert!(contains(&archive, UUID) && contains(&archive, HOST));
    let before = guest.flushes().unwrap();
    assert_eq!(essence(&status_of(&archive, &folder)), essence(&live));
    assert_eq!(guest.flushes().unwrap(), before);
}

#[test]
fn two_recordings_of_the_same_world_have_the_same_bytes() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let (guest, folder) = (guest(), Scratch::new("recording").unwrap());
    guest.root.write("proc/uptime", "4711.08 9000.00\n").unwrap();
    for words in [&[][..], &["--anonymous"]] {
        let (one, other) =
            (record(&guest, &folder, "a", words), record(&guest, &folder, "b", words));
        assert!(fs::read(one).unwrap() == fs::read(other).unwrap(), "{words:?}");
    }
}

#[test]
fn what_user_space_wrote_to_the_kernel_log_is_never_recorded() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let (guest, folder) = (guest(), Scratch::new("recording").unwrap());
    let archive = record(&guest, &folder, "a", &[]);
    assert!(contains(&archive, "vda: vda1") && !contains(&archive, SECRET));
}

#[test]
fn an_anonymous_recording_names_neither_host_nor_domain_and_shows_the_same() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let (guest, folder) = (guest(), Scratch::new("recording").unwrap());
    let archive = record(&guest, &folder, "a", &["--anonymous"]);
    for word in [UUID, HOST, "example.net"] {
        assert!(!contains(&archive, word), "{word} is in the archive");
    }
    let status = status_of(&archive, &folder);
    let verdicts = ["xvda", "xvdb", "xvdc"].map(|name| verdict(&status, name).0.to_owned());
    assert_eq!(verdicts, ["refused", "proven", "absent"], "{status:#}");
}
