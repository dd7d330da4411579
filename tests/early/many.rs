//! Sixteen disks, as many as a small host gives to one guest: side by side, and few round trips.

use harness::guest::Guest;
use harness::requires;

use crate::setup::{boot, report};

const DISKS: usize = 16;

fn verdicts(guest: &Guest) -> Vec<String> {
    let report = report(guest).unwrap();
    let disks = report["disks"].as_array().unwrap().iter();
    disks.map(|disk| disk["verdict"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn sixteen_disks_are_flushed_once_each_and_cost_three_round_trips() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(DISKS).unwrap();
    let before = guest.flushes().unwrap();
    let ran = boot(&guest);
    let report = report(&guest).unwrap();
    println!("{:.1?}, xenstore {}", ran.took, report["xenstore"]);
    assert_eq!(verdicts(&guest), ["proven"; DISKS]);
    assert!(report["xenstore"]["round_trips"].as_u64().unwrap() <= 3, "{}", report["xenstore"]);
    let once: Vec<u64> = before.iter().map(|count| count + 1).collect();
    assert_eq!(guest.flushes().unwrap(), once);
}

/// Where the kernel's rate limited line is needed, the boot does not wait for a second batch.
#[test]
fn from_6_11_on_as_many_are_flushed_as_the_boot_has_time_for() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(DISKS).unwrap();
    guest.run_kernel("6.12.107+deb13-cloud-amd64").unwrap();
    let before: u64 = guest.flushes().unwrap().iter().sum();
    boot(&guest);
    assert_eq!(guest.flushes().unwrap().iter().sum::<u64>(), before + 8);
    assert_eq!(verdicts(&guest), [["proven"; 8], ["untested"; 8]].concat());
    let said = report(&guest).unwrap()["said"].to_string();
    assert!(said.contains("xvdguard probe"), "{said}");
}
