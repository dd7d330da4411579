//! Many disks: all at once where the kernel's line is not needed, else as many as the kernel's
//! rate limit lets through.

use std::thread;
use std::time::{Duration, Instant};

use harness::deadline::seen;
use harness::guest::Guest;
use harness::requires;

use crate::setup::probe;

const DISKS: usize = 10;
/// The kernel drops all but 10 such lines in 5 s (DEFAULT_RATELIMIT_BURST and _INTERVAL).
const LINES: u64 = 10;
const INTERVAL: Duration = Duration::from_secs(5);

/// When each flush of a run arrived, as far as one can see from outside, by a clock that began
/// with the run; and how long the run took.
fn flush_times(guest: &Guest) -> (Vec<Duration>, Duration) {
    let so_far: u64 = guest.flushes().unwrap().iter().sum();
    let begin = Instant::now();
    thread::scope(|scope| {
        let run = scope.spawn(|| probe(guest, &[]));
        let mut times = Vec::new();
        let all_came = || {
            // Asked before the count: a flush that came after it was sent by a run that goes on.
            let over = run.is_finished();
            let count = guest.flushes().ok()?.iter().sum::<u64>() - so_far;
            times.resize(count as usize, begin.elapsed());
            over.then_some(())
        };
        seen(Duration::from_secs(30), all_came).unwrap();
        let (ran, said) = run.join().unwrap();
        assert_eq!(ran.code, Some(0), "{said:#}");
        (times, ran.took)
    })
}

#[test]
fn up_to_6_10_all_disks_are_flushed_at_once() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(DISKS).unwrap();
    guest.run_kernel("6.1.0-56-cloud-amd64").unwrap();
    let (times, took) = flush_times(&guest);
    assert_eq!(times.len(), DISKS);
    assert!(took < INTERVAL / 2, "{took:?}");
}

#[test]
fn from_6_11_on_no_more_flushes_are_sent_than_lines_come_through() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(DISKS).unwrap();
    guest.run_kernel("6.12.107+deb13-cloud-amd64").unwrap();
    let (times, took) = flush_times(&guest);
    println!("flushes at {times:?}, {took:?} in all");
    assert_eq!(times.len(), DISKS);
    let first = times.iter().filter(|time| **time < times[0] + INTERVAL).count();
    assert_eq!(first, 8, "{times:?}");
    assert!((first as u64) < LINES && took < Duration::from_secs(8), "{took:?}");
}
