//! Lines that a process wrote, floods, names: none of them starts or stops anything.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use harness::fault::{Answer, Fault};
use harness::{deadline, program, requires};

use crate::stage::{AT, SOON, Stage};

/// A line of user space in the real kernel log. Each needs a file of its own: the kernel drops
/// what one writes too fast.
fn write_line(line: &str) {
    let mut log = OpenOptions::new().write(true).open("/dev/kmsg").unwrap();
    let _ = log.write_all(line.as_bytes());
}

#[test]
fn lines_that_a_process_wrote_do_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let name = stage.disk.device.name();
    for line in [
        format!("<2>Aborting journal on device {name}-8."),
        format!("<2>EXT4-fs ({name}): Remounting filesystem read-only"),
        format!("<0>EXT4-fs error (device {name}): ext4_x:83: Detected aborted journal"),
    ] {
        write_line(&line);
    }
    // What it does next shows that it has read them: it is asked to reload, and does.
    let pid = stage.daemon_pid();
    stage.guest.run(&format!("kill -HUP {pid}")).unwrap();
    stage.until("it has reloaded", |stage| stage.said().contains("read again").then_some(()));
    assert_eq!(stage.health(), "healthy", "{}", stage.said());
    assert!(stage.takes_writes());
}

#[test]
fn a_flood_around_the_line_hides_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let is_over = Arc::new(AtomicBool::new(false));
    let flood = {
        let is_over = Arc::clone(&is_over);
        thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                write_line("<6>some service has something to say, again and again and again");
            }
        })
    };
    stage.outage();
    stage.until("the volume takes writes again", |stage| stage.takes_writes().then_some(()));
    stage.until_health("healthy");
    is_over.store(true, Ordering::Relaxed);
    flood.join().unwrap();
}

/// Whether the kernel still has the line.
fn has_line(name: &str) -> bool {
    let log = program::run::<&str>("dmesg", &[]).unwrap_or_default();
    log.contains(&format!("Aborting journal on device {name}-8"))
}

#[test]
fn a_line_that_was_overwritten_before_anybody_read_it_is_not_needed() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let (pid, name) = (stage.daemon_pid(), stage.disk.device.name().to_owned());
    stage.guest.run(&format!("kill -STOP {pid}")).unwrap();
    stage.disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
    let died = deadline::seen(SOON, || {
        stage.guest.stir(AT);
        has_line(&name).then_some(())
    });
    assert!(died.is_some(), "the journal did not abort");
    let overwritten = deadline::seen(SOON, || {
        for _ in 0..5000 {
            write_line("<6>some service has something to say, again and again and again");
        }
        (!has_line(&name)).then_some(())
    });
    assert!(overwritten.is_some(), "the kernel keeps every line");
    stage.disk.storage.heal().unwrap();
    stage.guest.run(&format!("kill -CONT {pid}")).unwrap();
    stage.until("it is given back", |stage| {
        (stage.health() == "healthy" && stage.takes_writes()).then_some(())
    });
    assert!(stage.said().contains("aborted"), "{}", stage.said());
}
