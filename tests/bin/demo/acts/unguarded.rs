//! Act: a backend begins to refuse flushes, and nobody guards the guest.

use super::{Act, MOUNT};
use crate::kernel_log::KernelLog;
use crate::show::{End, Show};
use crate::stage::Stage;

/// The act.
pub const ACT: Act = Act { title: "without xvdguard", play };

fn play(show: &mut Show) -> Result<(), End> {
    let mut stage = Stage::new()?;
    show.say("The guest mounts its file system and works with it.");
    show.run(&stage, MOUNT)?.exits_with(0, "mounted")?;
    let write = "echo one > guest/srv/one && sync guest/srv/one";
    show.run(&stage, write)?.exits_with(0, "written")?;

    show.say("Now the storage refuses flushes. One is enough.");
    let mut log = KernelLog::from_now()?;
    stage.refuse_flushes()?;
    let write = "echo two > guest/srv/two && sync guest/srv/two";
    show.run(&stage, write)?.exits_with(1, "not written")?;
    let mounts = show.run(&stage, "mount -t ext3 | grep xvda2")?;
    let is_rw = mounts.output().contains("(rw");
    mounts.expect("mount says rw", if is_rw { "mount says rw" } else { "mount says ro" })?;
    let device = stage.loop_name();
    show.say(&format!("What this machine's kernel says; it knows xvda2 as {device}."));
    let lines = log.lines_about(&[&device, "journal"])?;
    let is_aborted = lines.contains("Aborting journal");
    let came = if is_aborted { "the journal is aborted" } else { "no journal is aborted" };
    let command = format!("dmesg | grep {device} | grep journal");
    show.quote(&command, lines).expect("the journal is aborted", came)?;

    show.say("The storage is well again, the file system is not.");
    stage.heal()?;
    show.run(&stage, "sync storage")?.exits_with(0, "the storage takes flushes")?;
    show.run(&stage, "touch guest/srv/three")?.exits_with(1, "nothing can be written")?;
    show.say("That takes umount, fsck and mount; for a root file system, a reboot.");
    Ok(())
}
