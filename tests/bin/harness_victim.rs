//! Makes one of everything the harness has, prints what it made, and waits to be killed, or for
//! the end of its input: then it drops all of it. `harness_victim shared|private|skip`.
//!
//! The self tests look for what is left of it. A flush hangs and the store is frozen when it
//! dies: the hardest moment to clean up. With `skip` it only asks for a program nobody has.

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::thread;

use harness::failure::{Failure, Result, Tried};
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest_root::GuestRoot;
use harness::xenstored::Xenstored;
use harness::{namespace, requires, scratch};

fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        Some("shared") => live(),
        Some("private") => namespace::enter_private_mounts().and_then(|()| live()),
        Some("skip") => requires::program("a-program-that-nobody-has")
            .map_or(Ok(()), |path| Err(Failure::new(format!("found {}", path.display())))),
        _ => Err(Failure::new("usage: harness_victim shared|private|skip")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "harness_victim: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn live() -> Result<()> {
    let store = Xenstored::start()?;
    let disk = FaultyDisk::formatted("ext4")?;
    let mut guest = GuestRoot::new()?;
    guest.add_disk("xvda", 51712, &disk.device)?;
    let volume = disk.mount(&guest.within("srv"), "ext4", "")?;
    disk.storage.set(Fault::Fsync(Answer::Hang))?;
    let file = File::create(volume.target().join("file")).tried("create a file on the volume")?;
    let hanging = thread::spawn(move || file.sync_all());
    store.freeze()?;
    let base = scratch::base()?.display();
    let device = disk.device.number();
    let sequence = fs::read_to_string(disk.device.sysfs().join("diskseq")).unwrap_or_default();
    let sequence = sequence.trim_end();
    writeln!(io::stdout(), "{base} {device} {} {sequence}", store.pid())
        .tried("say what was made")?;
    io::stdin().read_to_end(&mut Vec::new()).tried("wait for the end of the input")?;
    disk.storage.heal()?;
    let answered = hanging.join().map_err(|_| Failure::new("the thread with the flush died"))?;
    answered.tried("flush what hung")
}
