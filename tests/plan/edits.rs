//! Our lines among those of others: taken back to the byte, alone, or not at all.

use std::fs;

use crate::setup::{Machine, ready};

const FSTAB: &str = "# static\nUUID=1 / ext4 defaults 0 1\n/dev/xvda /srv ext4 rw 0 2";

fn applied() -> Machine {
    let machine = Machine::new(&["ext4"], "[barrier]\nmode = \"off\"\n");
    machine.write_fstab(FSTAB);
    machine.ends_with(0, &["apply"]);
    assert_ne!(machine.fstab(), FSTAB);
    machine
}

fn change(machine: &Machine, from: &str, to: &str) {
    let fstab = machine.fstab();
    assert!(fstab.contains(from), "{fstab}");
    machine.write_fstab(&fstab.replacen(from, to, 1));
}

#[test]
fn revert_gives_the_exact_bytes_back() {
    let Some(_) = ready("ext4") else { return };
    let machine = applied();
    assert!(machine.ends_with(0, &["revert"]).contains("every byte is as before"));
    assert_eq!(machine.fstab(), FSTAB);
    assert!(machine.ends_with(0, &["revert"]).contains("nothing of xvdguard is left"));
    let left = fs::read_dir(machine.guest.root.within("var/lib/xvdguard")).unwrap();
    let left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
    // What keeps the daemon from writing it again.
    assert_eq!(left, ["reverted"]);
}

#[test]
fn lines_that_others_changed_meanwhile_stay_changed() {
    let Some(_) = ready("ext4") else { return };
    let machine = applied();
    change(&machine, "UUID=1 / ext4 defaults", "UUID=2 / xfs discard");
    assert!(machine.ends_with(0, &["revert"]).contains("only those of xvdguard were taken back"));
    assert_eq!(machine.fstab(), FSTAB.replace("UUID=1 / ext4 defaults", "UUID=2 / xfs discard"));
}

#[test]
fn a_line_of_ours_that_somebody_changed_is_not_taken_back() {
    let Some(_) = ready("ext4") else { return };
    let other_options = ("rw,barrier=0 0 2", "rw,barrier=0,noatime 0 2");
    let no_comment = ("# xvdguard: was rw\n", "");
    let commented_out = ("/dev/xvda /srv", "#/dev/xvda /srv");
    for (from, to) in [other_options, no_comment, commented_out] {
        let machine = applied();
        change(&machine, from, to);
        let changed = machine.fstab();
        let said = machine.ends_with(1, &["revert"]);
        assert!(said.contains("nothing is taken back"), "{said}");
        assert!(said.contains("--- /etc/fstab\n+++ /var/lib/xvdguard/fstab.orig\n"), "{said}");
        assert!(said.contains("\n+/dev/xvda /srv ext4 rw 0 2"), "{said}");
        assert_eq!(machine.fstab(), changed);
        assert_eq!(machine.document("revert")["outcome"], "failed");
        // Put right by hand, there is nothing left to take back.
        machine.write_fstab(FSTAB);
        machine.ends_with(0, &["revert"]);
        assert!(!machine.guest.root.within("var/lib/xvdguard/fstab.orig").exists());
    }
}

#[test]
fn the_first_bytes_are_kept_however_often_fstab_is_edited() {
    let Some(_) = ready("ext4") else { return };
    let machine = applied();
    change(&machine, "# static\n", "# static\n/dev/xvda /again ext4 ro 0 0\n");
    machine.ends_with(0, &["apply"]);
    let fstab = machine.fstab();
    assert!(fstab.contains("# xvdguard: was ro\n/dev/xvda /again ext4 ro,barrier=0 0 0\n"));
    assert_eq!(machine.guest.root.read("var/lib/xvdguard/fstab.orig").unwrap(), FSTAB);
    let edits = machine.guest.root.read("var/lib/xvdguard/edits.json").unwrap();
    assert!(edits.contains("/again") && edits.contains("/srv"), "{edits}");
    machine.ends_with(0, &["revert"]);
    let expected = FSTAB.replace("# static\n", "# static\n/dev/xvda /again ext4 ro 0 0\n");
    assert_eq!(machine.fstab(), expected);
}
