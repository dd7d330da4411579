//! The server of the faulty storage: `faulty_storage SIZE_BYTES`.
//!
//! Serves a FUSE file system with three files: `disk`, `control` (see `harness::fault`) and
//! `counters`. It is mounted nowhere: it hangs on a descriptor of this process, is reached through
//! `/proc/<pid>/fd/<number>`, and `ready <number>` is printed when it can be. So the kernel ends
//! it with the process, which nothing that hangs can prevent, and no mount namespace that is
//! copied meanwhile keeps it alive. Needs root, but no fusermount.

mod file_system;
mod memory;
mod service;

use std::env;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::ExitCode;

use fuser::{Config, Session, SessionACL};
use harness::failure::{Failure, Result, Tried};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsconfig_set_string, fsmount,
    fsopen,
};

use crate::file_system::Files;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Read by whoever waits for "ready".
            let _ = writeln!(io::stdout(), "{failure}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<()> {
    let Some(size) = env::args().nth(1) else {
        return Err(Failure::new("usage: faulty_storage SIZE_BYTES"));
    };
    let size_bytes = size.parse().tried(format_args!("read the size {size:?}"))?;
    let device = OpenOptions::new().read(true).write(true).open("/dev/fuse");
    let device = OwnedFd::from(device.tried("open /dev/fuse")?);
    let mount = detached_mount(&device).tried("mount a FUSE file system")?;
    let files = Files::new(size_bytes);
    let session = Session::from_fd(files, device, SessionACL::Owner, Config::default())
        .tried("greet the kernel")?;
    writeln!(io::stdout(), "ready {}", mount.as_raw_fd()).tried("say that it is ready")?;
    session.run().tried("serve")
}

/// A mount that is in no namespace and lasts as long as its descriptor.
fn detached_mount(device: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let context = fsopen("fuse", FsOpenFlags::FSOPEN_CLOEXEC)?;
    let number = device.as_raw_fd().to_string();
    fsconfig_set_string(&context, "source", "faulty_storage")?;
    for (key, value) in
        [("fd", number.as_str()), ("rootmode", "40000"), ("user_id", "0"), ("group_id", "0")]
    {
        fsconfig_set_string(&context, key, value)?;
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())
}
