//! Act: xvdguard finds out what the backend does with flushes, and sets the guest accordingly
//! before anything is mounted.

use super::{Act, EARLY_BOOT, MOUNT, PROBE, STATUS, STATUS_JSON, WRITE_CACHE};
use crate::show::{End, Show};
use crate::stage::{Stage, verdict};

/// The act.
pub const ACT: Act = Act { title: "with xvdguard", play };

fn play(show: &mut Show) -> Result<(), End> {
    let mut stage = Stage::new()?;
    stage.refuse_flushes()?;
    ask(show, &stage)?;
    stage.reboot()?;
    boot(show, &stage)?;
    live(show, &stage)
}

fn ask(show: &mut Show, stage: &Stage) -> Result<(), End> {
    show.say("A fresh disk, on storage that refuses flushes. What is known about it?");
    let status = show.run(stage, STATUS)?;
    let came = format!("xvda2 {}", verdict(&stage.output(STATUS_JSON)?));
    status.expect("xvda2 untested", &came)?;

    show.say("One lone flush asks the backend. It harms nothing, for no journal waits for it.");
    let probe = show.run(stage, PROBE)?;
    let came = format!("exit {}, xvda2 {}", probe.code(), verdict(&stage.report("probe")));
    probe.expect("exit 1, xvda2 refused", &came)
}

fn boot(show: &mut Show, stage: &Stage) -> Result<(), End> {
    show.say(
        "The guest boots again, and the backend promises flushes again. This time its initramfs \
         runs the hook, before root is mounted. The hook never stops a boot; what it found and \
         did is in its report.",
    );
    show.run(stage, EARLY_BOOT)?.exits_with(0, "the boot goes on")?;
    let report = show.run(stage, r#"grep -o '"said":.*]' guest/run/xvdguard/early.json"#)?;
    report.expect("xvda2 refused", &format!("xvda2 {}", verdict(&stage.report("early"))))?;
    let cache = show.run(stage, WRITE_CACHE)?;
    let came = cache.output().trim_end().to_owned();
    cache.expect("write through", &came)
}

fn live(show: &mut Show, stage: &Stage) -> Result<(), End> {
    show.say("Now the guest mounts its file system, and writes and syncs 200 files.");
    show.run(stage, MOUNT)?.exits_with(0, "mounted")?;
    stage.say_mounted("/srv")?;
    let before = stage.flushes()?;
    let writes =
        "for n in $(seq 200); do echo mail > guest/srv/$n && sync guest/srv/$n || exit; done";
    let writes = show.run(stage, writes)?;
    let came = format!("exit {}, {} flushes were sent", writes.code(), stage.flushes()? - before);
    writes.expect("exit 0, 0 flushes were sent", &came)?;

    let status = show.run(stage, STATUS)?;
    let came = format!("xvda2 {}", verdict(&stage.output(STATUS_JSON)?));
    status.expect("xvda2 refused", &came)?;

    show.say("The storage refuses flushes as before, and the file system is healthy.");
    show.run(stage, "sync storage")?.exits_with(1, "the storage refuses flushes")?;
    let check = "umount guest/srv && e2fsck -f -p guest/dev/xvda2";
    show.run(stage, check)?.exits_with(0, "nothing to repair")
}
