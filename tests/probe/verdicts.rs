//! What a probe says of each kind of backend, and which kinds are sent no flush at all.

use harness::blkback::refuse_flushes;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::guest_xenstore::VbdSpec;
use harness::requires;

use crate::setup::{disk, document, has_evidence, probe, verdict};

/// A guest with one small disk for each backend.
fn guest_with(specs: &[VbdSpec<'_>]) -> Guest {
    let mut guest = Guest::new().unwrap();
    for spec in specs {
        guest.add_disk(FaultyDisk::new(1 << 20).unwrap(), spec).unwrap();
    }
    guest
}

/// What later commands of this boot say, and that they send nothing.
fn stays(guest: &Guest, word: &str) {
    let before = guest.flushes().unwrap();
    let status = document(&guest.xvdguard(&["--json", "status"]).unwrap());
    assert_eq!(verdict(&status, "xvda").0, word, "{status:#}");
    let (ran, again) = probe(guest, &[]);
    assert_eq!((ran.code, verdict(&again, "xvda").0), (Some(1), word), "{again:#}");
    assert_eq!(guest.flushes().unwrap(), before);
}

#[test]
fn a_healthy_backend_is_proven_by_one_flush_and_stays_so_for_status() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    let before = guest.disks[0].storage.counters().unwrap();
    let status = guest.xvdguard(&["status"]).unwrap().out();
    assert!(status.contains("untested") && status.contains("Do: xvdguard probe"), "{status}");
    assert_eq!(guest.disks[0].storage.counters().unwrap(), before);
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
    assert!(has_evidence(&said, "xvda", "probe", "a flush was sent"), "{said:#}");
    assert_eq!(guest.flushes().unwrap()[0], before.fsyncs + 1);
    let status = document(&guest.xvdguard(&["--json", "status"]).unwrap());
    assert_eq!(verdict(&status, "xvda").0, "proven", "{status:#}");
    assert_eq!(guest.flushes().unwrap()[0], before.fsyncs + 1);
}

#[test]
fn an_error_answer_is_failing_by_its_errno() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    guest.disks[0].storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(1), "failing"), "{said:#}");
    assert!(has_evidence(&said, "xvda", "probe", "EIO"), "{said:#}");
    // Looking changes nothing.
    assert_eq!(guest.disks[0].device.queue("write_cache").unwrap(), "write back");
    stays(&guest, "failing");
}

#[test]
fn a_key_that_drops_under_the_probe_is_a_refusal() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let barrier_only = VbdSpec { flush: None, ..VbdSpec::default() };
    for (spec, key) in
        [(VbdSpec::default(), "feature-flush-cache"), (barrier_only, "feature-barrier")]
    {
        let guest = Guest::with_vbd(&spec).unwrap();
        let path = format!("{}/{key}", spec.backend());
        let storage = &guest.disks[0].storage;
        let probed = refuse_flushes(storage, &guest.store, &path, || probe(&guest, &[]));
        let (ran, said) = probed.unwrap();
        assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(1), "refused"), "{said:#}");
        let text = format!("{key} went from 1 to 0");
        assert!(has_evidence(&said, "xvda", "xenstore", &text), "{said:#}");
        stays(&guest, "refused");
    }
}

#[test]
fn what_takes_no_flush_is_absent_and_gets_none() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let with = |more| VbdSpec { more, ..VbdSpec::default() };
    let cases = [
        (VbdSpec { mode: "r", ..VbdSpec::default() }, "absent", "read-only"),
        (with(&[("info", "4")]), "absent", "read-only"),
        (VbdSpec { device_type: "cdrom", mode: "r", ..VbdSpec::default() }, "absent", "cdrom"),
        (with(&[("info", "1")]), "absent", "cdrom"),
        (with(&[("sectors", "0")]), "absent", "empty"),
        (VbdSpec { flush: None, barrier: None, ..VbdSpec::default() }, "absent", "no flush"),
        (VbdSpec { flush: Some("0"), barrier: None, ..VbdSpec::default() }, "off", "no flush"),
        (VbdSpec { flush: Some("0"), barrier: Some("0"), ..VbdSpec::default() }, "off", "no"),
    ];
    let guest = guest_with(&cases.each_ref().map(|(spec, _, _)| spec.clone()));
    let before = guest.flushes().unwrap();
    let (ran, said) = probe(&guest, &[]);
    for ((spec, word, reason), name) in
        cases.iter().zip(["xvda", "xvdb", "xvdc", "xvdd", "xvde", "xvdf", "xvdg", "xvdh"])
    {
        let (is, why) = verdict(&said, name);
        assert_eq!(is, *word, "{spec:?}");
        assert!(why.contains(reason), "{spec:?}: {why}");
    }
    assert_eq!((ran.code, guest.flushes().unwrap()), (Some(0), before), "{said:#}");
}

#[test]
fn a_disk_of_which_the_kernel_sends_no_flush_is_not_probed() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    guest.disks[0].device.set_queue("write_cache", "write through").unwrap();
    let before = guest.flushes().unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "switched-off"), "{said:#}");
    // Up to 6.10 a failed flush looks the same; only a whole log can tell that there was none.
    guest.write_log(&["6,700,9000000,-;the records between are lost"]).unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(1), "lost"), "{said:#}");
    guest.run_kernel("6.12.0").unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "switched-off"), "{said:#}");
    assert_eq!(guest.flushes().unwrap(), before);
}

#[test]
fn only_the_disks_that_are_named_are_flushed() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(3).unwrap();
    let before = guest.flushes().unwrap();
    let (ran, said) = probe(&guest, &["xvdb", "/dev/xvdc"]);
    assert_eq!(ran.code, Some(0), "{said:#}");
    assert_eq!(said["disks"].as_array().unwrap().len(), 2, "{said:#}");
    assert_eq!(disk(&said, "xvdc")["vbd"], 51744);
    assert_eq!(guest.flushes().unwrap(), [before[0], before[1] + 1, before[2] + 1]);
}
