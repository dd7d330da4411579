//! The table against what was read in sources and observed, and the table against itself.

use alloc::vec::Vec;

use super::table::{Outcome, ROWS};
use super::{Barriers, Grammar, Prediction, When, predict_all};
use crate::kernel_version::KernelRelease;
use crate::text::Text;

const ON: Prediction = Prediction::Accepted(Some(Barriers::On));
const OFF: Prediction = Prediction::Accepted(Some(Barriers::Off));
use Prediction::{Ignored, Refused, Unknown};

fn kernel(name: &str) -> KernelRelease {
    KernelRelease::parse(&Text::from(name)).unwrap()
}

fn predict(fstype: &str, name: &str, option: &str) -> Prediction {
    let kernel = kernel(name);
    Grammar::new(&Text::from(fstype), &kernel).predict(&Text::from(option), When::Mount)
}

#[test]
fn every_release_answers_as_its_source_does() {
    for (fstype, name, option, expected) in [
        // "barriers=0", which people were told to write, is an error everywhere.
        ("ext3", "2.6.18-8-xen-amd64", "barriers=0", Refused),
        ("ext4", "6.18.44", "barriers=0", Refused),
        // fs/ext3/super.c 2.6.18 to 2.6.32 knows "barrier=%u" alone.
        ("ext3", "2.6.18", "barrier=0", OFF),
        ("ext3", "2.6.18", "barrier=1", ON),
        ("ext3", "2.6.32-5-amd64", "nobarrier", Refused),
        ("ext3", "2.6.35", "nobarrier", OFF),
        ("ext3", "4.4.0-210-generic", "nobarrier", OFF),
        ("ext3", "7.2.13", "barrier=0", OFF),
        ("ext4", "2.6.28", "nobarrier", Refused),
        ("ext4", "6.18.44", "nobarrier", OFF),
        ("ext4", "6.18.44", "barrier=99", ON),
        ("ext4", "6.18.44", "barrier=00", OFF),
        ("ext4", "6.18.44", "barrier", ON),
        ("ext4", "6.18.44", "barrier=", Refused),
        ("ext4", "6.18.44", "barrier=+1", Refused),
        ("ext4", "6.18.44", "barrier=99999999999", Refused),
        ("ext4", "6.18.44", "barrier=none", Refused),
        ("ext4", "6.18.44", "noatime", Unknown),
        ("ext4", "6.18.44", "(none)", Unknown),
        ("ext4", "6.18.44", "*", Unknown),
        // xfs(5), and SUSE KB 000020240 for the stretch where they are ignored.
        ("xfs", "4.4.0-210-generic", "nobarrier", OFF),
        ("xfs", "4.15.0-213-generic", "nobarrier", Ignored),
        ("xfs", "4.19.0-27-amd64", "nobarrier", Refused),
        ("xfs", "7.2.13", "barrier", Refused),
        ("btrfs", "3.2.0-4-amd64", "barrier", Refused),
        ("btrfs", "6.8.0", "barrier", ON),
        ("btrfs", "6.8.0", "nobarrier", OFF),
        ("btrfs", "6.8.0", "barrier=0", Refused),
        ("reiserfs", "6.12.0", "barrier=none", OFF),
        ("reiserfs", "6.12.0", "barrier=0", Refused),
        ("reiserfs", "7.2.13", "barrier=none", Unknown),
        ("nilfs2", "2.6.32", "barrier=off", OFF),
        ("f2fs", "6.1.0", "barrier", Refused),
        ("gfs2", "6.1.0", "nobarrier", ON),
        ("jfs", "6.1.0", "barrier=0", Refused),
        // ext2 by its own driver refuses; ext4 in its place accepts: nobody knows beforehand.
        ("ext2", "6.1.0", "barrier=0", Refused),
        ("zfs", "6.1.0", "nobarrier", Unknown),
        ("auto", "6.1.0", "barrier=0", Unknown),
        ("ext4", "2.6.18", "barrier=0", Unknown),
    ] {
        assert_eq!(predict(fstype, name, option), expected, "{fstype} {name} {option}");
    }
}

#[test]
fn a_vendor_kernel_answers_as_the_stricter_neighbour() {
    for (fstype, name, option, expected) in [
        // An enterprise 4.18 refuses it: it carries the XFS of a later release.
        ("xfs", "4.18.0-553.el8_10.x86_64", "nobarrier", Refused),
        ("xfs", "4.12.14-122.37-default", "nobarrier", Refused),
        ("xfs", "3.10.0-1160.el7.x86_64", "nobarrier", Ignored),
        ("ext3", "2.6.32-754.el6.x86_64", "nobarrier", Refused),
        ("ext3", "2.6.32-754.el6.x86_64", "barrier=0", OFF),
        ("ext4", "3.10.0-1160.el7.x86_64", "nobarrier", OFF),
        ("gfs2", "5.4.17-2136.el8uek.x86_64", "nobarrier", Unknown),
        ("reiserfs", "6.4.0-150600.23.7-default", "barrier=none", OFF),
    ] {
        assert_eq!(predict(fstype, name, option), expected, "{fstype} {name} {option}");
    }
}

#[test]
fn a_remount_may_answer_otherwise() {
    let kernel = kernel("6.1.0-56-cloud-amd64");
    let ask = |fstype: &str, option: &str| {
        let fstype = Text::from(fstype);
        let grammar = Grammar::new(&fstype, &kernel);
        [When::Mount, When::Remount].map(|when| grammar.predict(&Text::from(option), when))
    };
    assert_eq!(ask("ext4", "data=writeback"), [Prediction::Accepted(None), Refused]);
    assert_eq!(ask("ext4", "data=ordered"), [Prediction::Accepted(None), Unknown]);
    assert_eq!(ask("hfsplus", "nobarrier"), [OFF, Ignored]);
    assert_eq!(ask("ext3", "barrier=0"), [OFF, OFF]);
    let ext4 = Text::from("ext4");
    let unknown = Grammar::new(&ext4, &kernel).predict_unknown_option(When::Remount);
    assert_eq!(unknown, Refused);
}

#[test]
fn of_several_kernels_the_strictest_answer_counts() {
    let ask = |names: &[&str], fstype: &str, option: &str| {
        let kernels: Vec<_> = names.iter().map(|name| kernel(name)).collect();
        predict_all(&Text::from(fstype), &kernels, &Text::from(option), When::Mount)
    };
    assert_eq!(ask(&["4.4.0", "4.15.0", "5.10.0"], "xfs", "nobarrier"), Refused);
    assert_eq!(ask(&["4.4.0", "4.15.0"], "xfs", "nobarrier"), Ignored);
    assert_eq!(ask(&["2.6.32", "6.1.0"], "ext3", "nobarrier"), Refused);
    assert_eq!(ask(&["2.6.32", "6.1.0"], "ext3", "barrier=0"), OFF);
    assert_eq!(ask(&["5.4.0", "5.10.0"], "gfs2", "nobarrier"), Unknown);
    assert_eq!(ask(&[], "ext3", "barrier=0"), Unknown);
}

#[test]
fn the_last_word_says_whether_barriers_are_on() {
    let ask = |fstype: &str, name: &str, options: &[&str]| {
        let options: Vec<_> = options.iter().map(|option| Text::from(*option)).collect();
        Grammar::new(&Text::from(fstype), &kernel(name)).barriers(&options)
    };
    assert_eq!(ask("ext4", "6.1.0", &["noatime"]), Some(Barriers::On));
    assert_eq!(ask("ext4", "6.1.0", &["barrier=0", "barrier"]), Some(Barriers::On));
    assert_eq!(ask("ext4", "6.1.0", &["barrier", "ro", "nobarrier"]), Some(Barriers::Off));
    assert_eq!(ask("ext4", "6.1.0", &["barrier=0", "barriers=0"]), None);
    assert_eq!(ask("ext3", "2.6.32-5-amd64", &[]), Some(Barriers::Off));
    assert_eq!(ask("ext3", "2.6.32-754.el6.x86_64", &[]), None, "Red Hat switched them on");
    assert_eq!(ask("ext3", "2.6.32-754.el6.x86_64", &["barrier=1"]), Some(Barriers::On));
    assert_eq!(ask("jfs", "6.1.0", &[]), Some(Barriers::Never));
    assert_eq!(ask("xfs", "4.15.0", &["nobarrier"]), Some(Barriers::On));
    assert_eq!(ask("zfs", "6.1.0", &[]), None);
}

#[test]
fn every_release_with_a_row_knows_what_an_unknown_option_does() {
    for row in &ROWS {
        let rest = || ROWS.iter().filter(|one| one.fstype == row.fstype);
        let same = || rest().filter(|one| one.driver == row.driver);
        for version in [row.from, row.below].into_iter().filter(|v| v.major < u16::MAX) {
            let at = || same().filter(|one| one.from <= version && version < one.below);
            let unknown = at().filter(|one| one.words == b"*").count();
            let shown = Text::from(row.fstype);
            assert_eq!(unknown, usize::from(at().count() > 0), "{shown} {version}");
        }
        assert!(row.from < row.below);
        assert!(row.words != b"*" || row.mount == Outcome::Refused);
    }
}
