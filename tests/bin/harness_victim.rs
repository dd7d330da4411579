//! Makes one of everything the harness has, prints what it made, and waits to be killed.
//!
//! The self tests kill it by every signal and look for what is left. Its flushes hang when the
//! signal comes: the hardest moment to clean up. Never ends by itself, but for an error.

use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use harness::failure::{Result, Tried};
use harness::fault::{Answer, Fault};
use harness::faulty_storage::FaultyStorage;
use harness::guest_root::GuestRoot;
use harness::loop_device::LoopDevice;
use harness::mount::Mounted;
use harness::xenstored::Xenstored;
use harness::{namespace, program, scratch};

fn main() -> ExitCode {
    let private = std::env::args().nth(1).as_deref() == Some("private");
    match live(private) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stdout(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn live(private: bool) -> Result<()> {
    if private {
        namespace::enter_private_mounts()?;
    }
    let store = Xenstored::start()?;
    let storage = FaultyStorage::start(64 << 20)?;
    let disk = LoopDevice::attach(&storage.file())?;
    program::run("mkfs.ext4", &["-q".as_ref(), disk.node().as_os_str()])?;
    let mut guest = GuestRoot::new()?;
    guest.add_disk("xvda", 51712, &disk)?;
    let volume = Mounted::new(disk.node(), &guest.within("srv"), "ext4", "")?;
    storage.set(Fault::Fsync(Answer::Hang))?;
    let file = File::create(volume.target().join("file")).tried("create a file on the volume")?;
    thread::spawn(move || file.sync_all());
    store.freeze()?;
    let base = scratch::base()?.display();
    writeln!(io::stdout(), "{base} {} {}", disk.name(), store.pid()).tried("say what was made")?;
    loop {
        thread::park();
    }
}
