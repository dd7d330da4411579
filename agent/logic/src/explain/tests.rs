//! Stories of short logs. The lines were printed by real kernels (2.6.32 to 7.2, document of the
//! line's form in `kernel-messages.tsv`); what is expected follows from what is known of these
//! kernels, not from the code.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Explainer;
use super::story::{Story, Verdict};
use crate::block::BlockTree;

fn tell(log: &str) -> Story {
    let mut explainer = Explainer::new(BlockTree::default(), None);
    explainer.take(log.as_bytes());
    explainer.finish()
}

/// Verdict, and the id, device and line of the first cause.
fn gist(story: &Story) -> (Verdict, String) {
    let cause = story.first_cause.as_ref().map(|cause| {
        let device = cause.device.as_ref().map_or("-".into(), ToString::to_string);
        format!("{} {device} {}", cause.event.name(), cause.at.line)
    });
    (story.verdict, cause.unwrap_or_default())
}

#[track_caller]
fn check(log: &str, verdict: Verdict, cause: &str) -> Story {
    let story = tell(log);
    assert_eq!(gist(&story), (verdict, cause.to_string()), "{log}\n{story:#?}");
    story
}

/// Each subject with its verdict, its state at the end, and its findings as `id×count`.
fn subjects(story: &Story) -> Vec<String> {
    let shown = story.subjects.iter().map(|subject| {
        let name = subject.name.as_ref().map_or("-".into(), ToString::to_string);
        let findings = subject.findings.iter().map(|f| format!(" {}×{}", f.event.name(), f.count));
        let findings: String = findings.collect();
        format!("{name} {}/{}:{findings}", subject.verdict, subject.now)
    });
    shown.collect()
}

const REFUSED_3_2: &str = "\
[    3.801589] blkfront: barrier: write xvda2 op failed
[    3.801597] blkfront: xvda2: barrier or flush: disabled
[    3.801611] end_request: I/O error, dev xvda2, sector 52171168
[    3.801630] end_request: I/O error, dev xvda2, sector 52171168
[    3.801642] Buffer I/O error on device xvda2, logical block 6521396
[    3.801652] lost page write due to I/O error on xvda2
[    3.801755] Aborting journal on device xvda2.
[    3.804415] EXT3-fs (xvda2): error: ext3_journal_start_sb: Detected aborted journal
[    3.804434] EXT3-fs (xvda2): error: remounting filesystem read-only
[    3.814754] journal commit I/O error
";

#[test]
fn a_refused_barrier_is_the_first_cause_of_the_abort() {
    let cause = "blkfront_barrier_fail_swapped xvda2 1";
    let story = check(REFUSED_3_2, Verdict::Aborted, cause);
    assert_eq!(
        subjects(&story),
        [
            "xvda2 aborted/aborted: blkfront_barrier_fail_swapped×1 blkfront_flush_state_3x×1 \
             blk_end_request×2 buffer_io_old×1 lost_page_write_old×1 jbd_abort×1 \
             ext3_detected_abort_3×1 ext3_remount_ro_3×1",
            "- aborted/aborted: journal_commit_io_error×1",
        ]
    );
    // What names no device is no device's; its cause is what failed before.
    let nameless = story.subjects[1].cause.as_ref().unwrap();
    assert_eq!(nameless.device, Some("xvda2".into()));
}

#[test]
fn a_probe_that_says_disabled_is_healthy() {
    for line in [
        "[    1.0] blkfront: xvda: barrier or flush: disabled",
        "[    1.000000] blkfront: xvda: barrier or flush: disabled",
        "blkfront: xvda: barriers disabled",
        "[    1.000000] blkfront: xvda: barrier or flush: disabled; persistent grants: enabled; \
         indirect descriptors: enabled; bounce buffer: enabled",
    ] {
        let story = check(line, Verdict::Healthy, "");
        assert!(!story.has_findings());
    }
}

#[test]
fn disabled_after_enabled_is_given_up_even_if_the_reason_is_lost() {
    let log = "[    1.000000] blkfront: xvda: flush diskcache: enabled; persistent grants: \
               enabled;\n\
               [   85.667965] blkfront: xvda: barrier or flush: disabled; persistent grants: \
               enabled;";
    let story = check(log, Verdict::Refused, "blkfront_flush_state_311 xvda 2");
    assert_eq!(story.subjects[0].now, Verdict::Refused);
}

#[test]
fn a_reconnect_brings_flushes_back_and_leaves_the_finding() {
    let log = "[   85.000000] blkfront: xvda: flush op failed\n\
               [   99.000000] blkfront: xvda: flush diskcache: enabled; persistent grants: \
               enabled;";
    let story = check(log, Verdict::Refused, "blkfront_op_fail xvda 1");
    assert_eq!(story.subjects[0].now, Verdict::Healthy);
    assert_eq!(story.subjects[0].recovered.as_ref().map(|at| at.line), Some(2));
}

#[test]
fn a_fresh_mount_makes_good_and_a_remount_does_not() {
    let aborted = "[   10.000000] Aborting journal on device loop0-8.\n\
                   [   11.000000] EXT4-fs (loop0): Remounting filesystem read-only\n";
    let remounted =
        format!("{aborted}[   12.000000] EXT4-fs (loop0): re-mounted. Quota mode: none.");
    let story = check(&remounted, Verdict::Aborted, "jbd2_abort loop0 1");
    assert_eq!(story.subjects[0].now, Verdict::Aborted);
    let mounted = format!(
        "{aborted}[   13.000000] EXT4-fs (loop0): unmounting filesystem.\n\
         [   14.000000] EXT4-fs (loop0): mounted filesystem with ordered data mode."
    );
    let story = check(&mounted, Verdict::Aborted, "jbd2_abort loop0 1");
    assert_eq!(story.subjects[0].now, Verdict::Healthy);
    assert_eq!(story.subjects[0].recovered.as_ref().map(|at| at.line), Some(4));
    let again = format!("{mounted}\n[   15.000000] Aborting journal on device loop0-8.");
    assert_eq!(tell(&again).subjects[0].now, Verdict::Aborted);
}

#[test]
fn another_partition_that_is_mounted_makes_nothing_good() {
    let log = "[    1.000000]  xvda: xvda1 xvda2\n\
               [   10.000000] I/O error, dev xvda, sector 8 op 0x1:(WRITE) flags 0x9800 phys_seg 1 \
               prio class 2\n\
               [   10.100000] Aborting journal on device xvda1-8.\n\
               [   14.000000] EXT4-fs (xvda2): mounted filesystem with ordered data mode.";
    let story = check(log, Verdict::Aborted, "blk_io_error_op xvda 2");
    assert_eq!(subjects(&story), ["xvda aborted/aborted: blk_io_error_op×1 jbd2_abort×1"]);
}

#[test]
fn names_are_brought_together_by_proof_only() {
    let log = "[   10.000000] I/O error, dev xvda, sector 8 op 0x1:(WRITE) flags 0x9800 phys_seg 1 \
               prio class 2\n\
               [   10.100000] Aborting journal on device xvda1-8.\n";
    // Without the line about partitions they are two, and the cause is still what failed before.
    let story = check(log, Verdict::Aborted, "blk_io_error_op xvda 1");
    assert_eq!(
        subjects(&story),
        ["xvda erring/erring: blk_io_error_op×1", "xvda1 aborted/aborted: jbd2_abort×1"]
    );
}

#[test]
fn the_first_cause_outlives_a_flood() {
    let mut log = String::from("[   10.000000] blkfront: xvdb: barrier op failed\n");
    for second in 11..4000 {
        log += &format!("[{second:5}.000000] EXT4-fs (xvdb): I/O error while writing superblock\n");
        log += &format!("[{second:5}.500000] blk_print_req_error: 52 callbacks suppressed\n");
    }
    log += "[ 4000.000000] Aborting journal on device xvdb-8.\n";
    let story = check(&log, Verdict::Aborted, "blkfront_op_fail xvdb 1");
    assert_eq!(
        subjects(&story),
        ["xvdb aborted/aborted: blkfront_op_fail×1 ext4_sb_io×3989 jbd2_abort×1"]
    );
    assert_eq!(story.extent.dropped, 3989 * 52);
    let flood = &story.subjects[0].findings[1];
    assert_eq!(flood.last.us_since(&flood.first), Some(3_988_000_000));
}

#[test]
fn what_was_over_for_an_hour_is_no_cause() {
    let log = "[   10.000000] EXT4-fs warning (device xvdb): ext4_end_bio:343: I/O error 10 \
               writing to inode 13 starting block 5633)\n\
               [ 9000.000000] blkfront: xvdb: barrier op failed\n\
               [ 9000.100000] Aborting journal on device xvdb-8.\n";
    check(log, Verdict::Aborted, "blkfront_op_fail xvdb 2");
}

#[test]
fn boots_are_told_apart() {
    let log = "[    0.000000] Linux version 5.10.0-46-cloud-amd64 (d@l) #1 SMP\n\
               [   10.000000] Aborting journal on device xvda1-8.\n\
               [    0.000000] Linux version 6.12.107+deb13-cloud-amd64 (d@l) #1 SMP\n\
               [   20.000000] blkfront: xvda: empty flush op failed\n";
    let story = check(log, Verdict::Aborted, "jbd2_abort xvda1 2");
    let boots: Vec<_> =
        story.subjects.iter().map(|one| (one.boot.index, one.boot.is_past)).collect();
    assert_eq!(boots, [(0, true), (1, false)]);
    let kernels: Vec<_> = story.subjects.iter().map(|one| one.boot.kernel.unwrap().major).collect();
    assert_eq!(kernels, [5, 6]);
    assert_eq!(story.extent.boots, 2);
}

#[test]
fn the_lines_of_journalctl_between_boots_tell_them_apart() {
    for between in ["-- Boot 1123456789abcdef0123456789abcdef --", "-- Reboot --"] {
        let log = format!(
            "Nov 20 10:00:00 guest kernel: Aborting journal on device xvda1-8.\n{between}\n\
             Nov 20 10:05:00 guest kernel: EXT4-fs (xvda1): mounted filesystem with ordered data \
             mode.\n"
        );
        let story = check(&log, Verdict::Aborted, "jbd2_abort xvda1 1");
        assert!(story.subjects[0].boot.is_past && story.subjects[0].now == Verdict::Aborted);
        assert_eq!((story.extent.boots, story.extent.hosts), (2, 1));
    }
}

#[test]
fn a_path_that_the_host_lost_is_the_first_cause() {
    let log = "Nov 20 10:00:00 dom0 iscsid: Kernel reported iSCSI connection 1:0 error (1011) \
               state (3)\n\
               Nov 20 10:00:30 dom0 iscsid: connection1:0 is operational after recovery (1 \
               attempts)\n\
               Nov 20 10:00:31 guest kernel: end_request: I/O error, dev xvda, sector 104\n\
               Nov 20 10:00:31 guest kernel: Aborting journal on device xvda1.\n";
    let story = check(log, Verdict::Aborted, "iscsid_error connection1:0 1");
    assert_eq!(
        subjects(&story),
        [
            "connection1:0 stalled/healthy: iscsid_error×1 iscsid_recovered×1",
            "xvda erring/erring: blk_end_request×1",
            "xvda1 aborted/aborted: jbd_abort×1",
        ]
    );
    let hosts: Vec<_> = story.subjects.iter().map(|one| one.host.clone().unwrap()).collect();
    assert_eq!(hosts, ["dom0".into(), "guest".into(), "guest".into()] as [crate::text::Text; 3]);
    // A day later it is another story.
    let later = log.replace("Nov 20 10:00:31 guest", "Nov 21 10:00:31 guest");
    check(&later, Verdict::Aborted, "blk_end_request xvda 3");
}

#[test]
fn the_host_alone_stalls_its_guests_until_it_gives_up() {
    let lost = "[  112.911664]  connection1:0: ping timeout of 2 secs expired, recv timeout 2, \
                last rx 1, last ping 2, now 3\n\
                [  112.913506]  connection1:0: detected conn error (1022)\n";
    let story = check(lost, Verdict::Stalled, "iscsi_ping_timeout connection1:0 1");
    assert!(story.subjects[0].is_path());
    let gave_up = format!(
        "{lost}[  118.161424]  session1: session recovery timed out after 5 secs\n\
         [  118.162951] sd 0:0:0:1: rejecting I/O to offline device\n\
         [  118.163000] I/O error, dev sda, sector 2 op 0x1:(WRITE) flags 0x8800 phys_seg 1 prio \
         class 2\n"
    );
    check(&gave_up, Verdict::Erring, "iscsi_ping_timeout connection1:0 1");
}

#[test]
fn a_task_that_waits_is_a_stall_of_no_device() {
    let log = "[  242.000000] INFO: task jbd2/xvda2-8:412 blocked for more than 120 seconds.\n";
    let story = check(log, Verdict::Stalled, "hung_task - 1");
    assert_eq!(subjects(&story), ["- stalled/stalled: hung_task×1"]);
}

#[test]
fn harmless_errors_prove_nothing() {
    for line in [
        "end_request: I/O error, dev fd0, sector 0",
        "blk_update_request: I/O error, dev sr0, sector 0",
        "operation not supported error, dev loop1, sector 8 op 0x9:(WRITE_ZEROES) flags 0x8000800 \
         phys_seg 0 prio class 2",
        "I/O error, dev xvda, sector 8 op 0x3:(DISCARD) flags 0x800 phys_seg 1 prio class 2",
        "blkfront: xvda: discard op failed",
        "Unknown kernel command line parameters \"barrier=off\", will be passed to user space.",
        "EXT4-fs (xvda1): recovery complete",
    ] {
        let story = check(&format!("[    1.000000] {line}"), Verdict::Healthy, "");
        assert!(!story.has_findings(), "{line}");
    }
}

#[test]
fn an_option_that_was_refused_is_a_finding_and_no_failure() {
    let story = check("[    1.000000] xfs: Unknown parameter 'nobarrier'", Verdict::Healthy, "");
    assert_eq!(subjects(&story), ["- healthy/healthy: fsparam_unknown×1"]);
}

#[test]
fn other_facilities_count_for_nothing() {
    for log in [
        "12,1,1000,-;Aborting journal on device xvda1-8.",
        "user  :warn  : [    1.000000] Aborting journal on device xvda1-8.",
        "Nov 20 10:00:00 guest sshd[12]: Aborting journal on device xvda1-8.",
        "Nov 20 10:00:00 guest kernel[12]: Aborting journal on device xvda1-8.",
        "{\"_TRANSPORT\":\"syslog\",\"SYSLOG_IDENTIFIER\":\"kernel\",\
         \"MESSAGE\":\"Aborting journal on device xvda1-8.\"}",
        "[    1.000000] systemd[1]: Aborting journal on device xvda1-8.",
    ] {
        assert!(!check(log, Verdict::Healthy, "").has_findings(), "{log}");
    }
}

#[test]
fn what_a_form_cannot_prove_is_said() {
    for (log, could_be_forged) in [
        ("4,1,1000,-;Aborting journal on device xvda1-8.", false),
        ("kern  :err   : [    1.000000] Aborting journal on device xvda1-8.", false),
        ("Nov 20 10:00:00 guest kernel: Aborting journal on device xvda1-8.", true),
        ("[    1.000000] Aborting journal on device xvda1-8.", false),
        ("[    1.000000] nothing", false),
    ] {
        assert_eq!(tell(log).extent.could_be_forged, could_be_forged, "{log}");
    }
}

/// comm is what a process calls itself, in at most 15 bytes; messages may hold names of files.
#[test]
fn what_a_process_may_choose_is_no_evidence() {
    for (line, device) in [
        ("EXT4-fs error (device xvdb): ext4_lookup:1: comm (device xvda): : bad", "xvdb"),
        (
            "EXT4-fs error (device xvdb): f:1: inode #2: comm x: name EXT4-fs (xvda): Remounting \
          filesystem read-only",
            "xvdb",
        ),
        ("EXT4-fs error (device xvdb): f:1: comm x: \"I/O error, dev xvda, sector 1\"", "xvdb"),
    ] {
        let story = tell(&format!("4,1,1000,-;{line}"));
        let names: Vec<_> = story.subjects.iter().map(|one| one.name.clone()).collect();
        assert_eq!(names, [Some(device.into())], "{line}");
        assert_eq!(story.verdict, Verdict::Erring, "{line}");
    }
    let hung = "4,1,1000,-;INFO: task EXT4-fs (xvda):1 blocked for more than 120 seconds.";
    assert_eq!(tell(hung).subjects[0].name, None);
}

#[test]
fn any_number_of_devices_fits() {
    let mut log = String::new();
    for number in 0..1000 {
        log += &format!("[   10.000000] blkfront: xvd{number}: flush op failed\n");
    }
    log += "[   20.000000] Aborting journal on device late-8.\n";
    let story = tell(&log);
    assert_eq!(story.verdict, Verdict::Aborted);
    assert_eq!(story.subjects.len(), 128);
    let overflow = story.overflow.as_ref().unwrap();
    assert_eq!((overflow.verdict, overflow.count), (Verdict::Aborted, 873));
    assert_eq!(gist(&story).1, "jbd2_abort late 1001");
}

#[test]
fn healthy_disks_take_no_place_from_sick_ones() {
    let mut log = String::new();
    for number in 0..1000 {
        log += &format!("[    1.000000] blkfront: xvd{number}: barrier or flush: disabled;\n");
    }
    log += "[   20.000000] Aborting journal on device late-8.\n";
    let story = check(&log, Verdict::Aborted, "jbd2_abort late 1001");
    assert!(story.overflow.is_none());
}

#[test]
fn pieces_may_be_cut_anywhere() {
    let whole = tell(REFUSED_3_2);
    for size in [1, 2, 7, 64, 1000] {
        let mut explainer = Explainer::new(BlockTree::default(), None);
        REFUSED_3_2.as_bytes().chunks(size).for_each(|piece| explainer.take(piece));
        assert_eq!(explainer.finish(), whole, "{size}");
    }
}

#[test]
fn a_blank_behind_a_line_changes_nothing_however_the_log_is_cut() {
    let log = REFUSED_3_2.replace('\n', " \t\n");
    let whole = check(&log, Verdict::Aborted, "blkfront_barrier_fail_swapped xvda2 1");
    for size in [1, 31, 200] {
        let mut explainer = Explainer::new(BlockTree::default(), None);
        log.as_bytes().chunks(size).for_each(|piece| explainer.take(piece));
        assert_eq!(explainer.finish(), whole, "{size}");
    }
}

#[test]
fn a_daemon_speaks_first_in_journalctls_short_monotonic() {
    let log = "[    1.003370] guest multipathd[7]: mpatha: remaining active paths: 0\n";
    let whole = check(log, Verdict::Stalled, "multipathd_no_path mpatha 1");
    let mut explainer = Explainer::new(BlockTree::default(), None);
    log.as_bytes().chunks(33).for_each(|piece| explainer.take(piece));
    assert_eq!(explainer.finish(), whole);
}

#[test]
fn a_line_without_end_is_cut_and_never_begins_again() {
    let forged = "[    1.000000] Aborting journal on device xvda1-8.";
    // The forged text stands where a buffer might begin.
    let log = format!("{}{forged}", "x".repeat(64 * 1024));
    let story = check(&log, Verdict::Healthy, "");
    assert_eq!(story.extent.lines, 1);
    let two = format!("{}\n{forged}", "x".repeat(200_000));
    check(&two, Verdict::Aborted, "jbd2_abort xvda1 2");
}

#[test]
fn a_whole_log_in_one_line_of_json_is_read() {
    let object = |number: usize, text: &str| {
        format!("{{\"fac\":\"kern\",\"pri\":\"err\",\"time\":{number}.000000,\"msg\":\"{text}\"}}")
    };
    let mut objects: Vec<String> =
        (0..5000).map(|n| object(n, "filler \\\"},{\\\" \\u00e4")).collect();
    objects.push(object(5000, "Aborting journal on device xvda1-8."));
    let log = format!("{{\"dmesg\":[{}]}}\n", objects.join(","));
    let story = check(&log, Verdict::Aborted, "jbd2_abort xvda1 1");
    assert_eq!(story.extent.kernel_messages, 5001);
}
