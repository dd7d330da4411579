//! What is read, what is changed and what is taken back, on lines as they are found in the wild.

mod any_bytes;

use alloc::vec;
use alloc::vec::Vec;

use super::{Edit, EditErrorKind, Flaw, Fstab, OwnEditState};
use crate::text::Text;

/// What `findmnt --fstab` of util-linux 2.38.1 prints of these lines.
const READ_BY_FINDMNT: [(&[u8], [&[u8]; 4]); 9] = [
    (b"/dev/sda1 / ext4", [b"/dev/sda1", b"/", b"ext4", b""]),
    (b"/dev/sda2\t/a  ext3 ,", [b"/dev/sda2", b"/a", b"ext3", b","]),
    (b"  /dev/sda3 /b ext3 a,,b, 0", [b"/dev/sda3", b"/b", b"ext3", b"a,,b,"]),
    (b"/dev/sda4 /c ext3 context=\"a,b 0 0", [b"/dev/sda4", b"/c", b"ext3", b"context=\"a,b"]),
    (
        b"/dev/sda5 /e\\040\\011\\134 ext3 defaults",
        [b"/dev/sda5", b"/e \t\\", b"ext3", b"defaults"],
    ),
    (b"/dev/sda7 /g ext3 def\\000aults,ro 0 0", [b"/dev/sda7", b"/g", b"ext3", b"def"]),
    (b"/dev/sda8 /h ext3 noatime 0 0 junk\r\n", [b"/dev/sda8", b"/h", b"ext3", b"noatime"]),
    (b"/dev/sda9 /i ext4 defaults\r\r\n", [b"/dev/sda9", b"/i", b"ext4", b"defaults\r"]),
    (b"LABEL=\xff /\\4 ext4 a\\075b -1 +2", [b"LABEL=\xff", b"/\\4", b"ext4", b"a=b"]),
];

fn one(content: &[u8]) -> Fstab {
    let fstab = Fstab::parse(content);
    assert_eq!(fstab.entries().count(), 1, "{:?}", Text::from(content));
    fstab
}

#[test]
fn lines_are_read_as_findmnt_reads_them() {
    for (content, [source, mount_point, fstype, options]) in READ_BY_FINDMNT {
        let fstab = one(content);
        let entry = fstab.entry(1).unwrap();
        let found = [&entry.source, &entry.mount_point, &entry.fstype].map(Text::as_bytes);
        assert_eq!(found, [source, mount_point, fstype], "{:?}", Text::from(content));
        let words = |field: &[u8]| field.split(|b| *b == b',').map(Text::from).collect::<Vec<_>>();
        let is_open = options.contains(&b'"');
        let mut expected = if is_open { vec![] } else { words(options) };
        expected.retain(|word| !word.is_empty());
        assert_eq!(entry.options.words(), expected, "{:?}", Text::from(content));
    }
}

#[test]
fn the_numbers_may_be_missing() {
    for (content, expected) in [
        ("a b c d", (0, 0)),
        ("a b c d 1", (1, 0)),
        ("a b c d 1 2", (1, 2)),
        ("a b c d 1\t2 # not read", (1, 2)),
        // Out of range, by findmnt of util-linux 2.38.1: strtol(3) saturates, an int is cut of it.
        ("a b c d 9999999999999999999999", (-1, 0)),
        ("a b c d -9999999999999999999999", (0, 0)),
        ("a b c d 1 +9999999999999999999999", (1, -1)),
    ] {
        let fstab = one(content.as_bytes());
        let entry = fstab.entry(1).unwrap();
        assert_eq!((entry.frequency, entry.pass), expected, "{content}");
    }
}

#[test]
fn a_number_out_of_range_ends_its_line_or_breaks_it() {
    for rest in ["9999999999999999999999 ", "9999999999999999999999x", "9999999999999999999999 1"] {
        let fstab = Fstab::parse(["a b c d ", rest].concat().as_bytes());
        assert_eq!(
            fstab.broken_lines().map(|line| line.flaw).next(),
            Some(Flaw::NoNumber),
            "{rest}"
        );
    }
}

#[test]
fn lines_that_mount_skips_are_told_with_their_number() {
    let fstab = Fstab::parse(b"# a\n\n \t\r\na b\na b c d # why\na b c d 0 x\nx\0 b c\na b c\n\n");
    let broken: Vec<_> = fstab.broken_lines().map(|line| (line.line, line.flaw)).collect();
    let expected =
        [(4, Flaw::TooFewFields), (5, Flaw::NoNumber), (6, Flaw::NoNumber), (7, Flaw::Nul)];
    assert_eq!(broken, expected);
    assert_eq!(fstab.entries().map(|entry| entry.line).collect::<Vec<_>>(), [8]);
    assert_eq!(fstab.text(3), Some(Text::from(" \t")));
    assert_eq!((fstab.text(0), fstab.text(10)), (None, None));
    assert!(fstab.entry(0).is_none() && fstab.entry(7).is_none());
}

#[test]
fn options_are_whole_words() {
    let fstab = one(b"a b ext4 noatime,context=\"a,barrier=0\",barrier=1,x-nobarrier,barriers=0");
    let options = &fstab.entry(1).unwrap().options;
    let words = options.words();
    let expected = ["noatime", "context=\"a,barrier=0\"", "barrier=1", "x-nobarrier", "barriers=0"];
    assert_eq!(words, expected.map(Text::from));
    assert!(options.has("noatime") && !options.has("barrier=0") && !options.has("atime"));
    assert_eq!(options.barrier_words(), [Text::from("barrier=1")]);
}

/// Field and what becomes of it; the rest of the line must stay.
#[test]
fn only_the_option_field_changes_and_a_comment_tells_what_it_was() {
    for (before, after) in [
        ("a / ext4 noatime 0 1\n", "# xvdguard: was noatime\na / ext4 noatime,barrier=0 0 1\n"),
        (
            "a\t/\text3\tbarrier=1,noatime\t0\t1\r\n",
            "# xvdguard: was barrier=1,noatime\r\na\t/\text3\tbarrier=0,noatime\t0\t1\r\n",
        ),
        ("a / ext3 nobarrier", "# xvdguard: was nobarrier\na / ext3 barrier=0"),
        (
            "a / ext4 barrier,ro,nobarrier",
            "# xvdguard: was barrier,ro,nobarrier\na / ext4 barrier,ro,barrier=0",
        ),
        ("a / ext4", "# xvdguard: was\na / ext4 barrier=0"),
        ("a / ext4 \t\r\n", "# xvdguard: was\r\na / ext4 barrier=0 \t\r\n"),
        ("a / ext4 ,", "# xvdguard: was ,\na / ext4 ,barrier=0"),
        ("x y z\r\na / ext4 ro", "x y z\r\n# xvdguard: was ro\r\na / ext4 ro,barrier=0"),
        (
            " a / ext4 context=\"x,y\" 0 0 # z",
            "# xvdguard: was context=\"x,y\"\n a / ext4 context=\"x,y\",barrier=0 0 0 # z",
        ),
        ("a / ext4 barrier\\0751 0 0\n", "# xvdguard: was barrier\\0751\na / ext4 barrier=0 0 0\n"),
    ] {
        let fstab = Fstab::parse(before.as_bytes());
        let line = fstab.entries().last().unwrap().line;
        let off = fstab.edit(&[(line, Edit::BarrierOff)]).unwrap();
        assert_eq!(Text::from(off.fstab.to_bytes()), Text::from(after));
        assert_eq!((off.changes.len(), off.changes[0].line), (1, line));
        let again = off.fstab.edit(&[(line + 1, Edit::BarrierOff)]).unwrap();
        assert_eq!((again.changes, &again.fstab), (vec![], &off.fstab), "twice changes nothing");
        let back = off.fstab.edit(&[(line + 1, Edit::Restore)]).unwrap();
        assert_eq!(Text::from(back.fstab.to_bytes()), Text::from(before));
    }
}

#[test]
fn many_lines_change_at_once_and_go_back_in_any_order() {
    let before = b"# top\n1 / ext4 a\n2 /b xfs a\n3 /c ext3\n\n4 /d ext4 barrier=0\n5 /e ext3 b";
    let fstab = Fstab::parse(before);
    let all = [7, 2, 4, 6].map(|line| (line, Edit::BarrierOff));
    let edited = fstab.edit(&all).unwrap();
    assert_eq!(edited.changes.iter().map(|one| one.line).collect::<Vec<_>>(), [2, 4, 7]);
    let expected = "# top\n# xvdguard: was a\n1 / ext4 a,barrier=0\n2 /b xfs a\n# xvdguard: was\n\
        3 /c ext3 barrier=0\n\n4 /d ext4 barrier=0\n# xvdguard: was b\n5 /e ext3 b,barrier=0";
    assert_eq!(Text::from(edited.fstab.to_bytes()), Text::from(expected));
    let own: Vec<_> = edited.fstab.own_edits().into_iter().map(|own| own.state).collect();
    assert_eq!(own, [3, 6, 10].map(OwnEditState::Intact));
    let back = edited.fstab.edit(&[10, 3, 6].map(|line| (line, Edit::Restore))).unwrap();
    assert_eq!(back.fstab.to_bytes(), before);
}

#[test]
fn what_a_person_changed_since_is_left_to_that_person() {
    let content = b"# xvdguard: was ro\n1 / ext4 ro,barrier=0,noatime\n# xvdguard: was ro\n\
        2 / ext4 ro\n# xvdguard: was ro\n\n# xvdguard: was so nice\n3 / ext4 ro,barrier=0\n";
    let fstab = Fstab::parse(content);
    let own: Vec<_> =
        fstab.own_edits().into_iter().map(|own| (own.comment_line, own.state)).collect();
    let (changed, orphaned) = (OwnEditState::ChangedSince, OwnEditState::Orphaned);
    assert_eq!(own, [(1, changed(2)), (3, changed(4)), (5, orphaned)]);
    for (line, edit, why) in [
        (2, Edit::Restore, EditErrorKind::ChangedSince),
        (4, Edit::Restore, EditErrorKind::ChangedSince),
        (4, Edit::BarrierOff, EditErrorKind::ChangedSince),
        (8, Edit::Restore, EditErrorKind::NotOurs),
        (1, Edit::BarrierOff, EditErrorKind::NoEntry),
        (0, Edit::BarrierOff, EditErrorKind::NoEntry),
        (99, Edit::Restore, EditErrorKind::NoEntry),
    ] {
        let error = fstab.edit(&[(line, edit)]).unwrap_err();
        assert_eq!((error.line, error.kind), (line, why));
    }
}

#[test]
fn options_that_are_not_read_alike_everywhere_are_not_touched() {
    for field in ["context=\"a,b", "a\\000b", "a\\", "a\\,b", "x=\\\"a", "a\\134", "a\rb"] {
        let content = [b"a / ext4 ", field.as_bytes(), b" 0 0\n"].concat();
        let error = Fstab::parse(&content).edit(&[(1, Edit::BarrierOff)]).unwrap_err();
        assert_eq!(error.kind, EditErrorKind::AmbiguousOptions, "{field}");
    }
}
