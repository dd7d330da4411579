//! Act: what early boot found is written into fstab, seen before it is done, and taken back to the
//! byte.

use super::{Act, EARLY_BOOT};
use crate::show::{End, Show};
use crate::stage::Stage;

/// The act.
pub const ACT: Act = Act { title: "what stays", play };

const SHOW_FSTAB: &str = "cat guest/etc/fstab";
const PLAN: &str = "xvdguard --root guest --xenstore xenstored plan";
const APPLY: &str = "xvdguard --root guest --xenstore xenstored apply";
const REVERT: &str = "xvdguard --root guest --xenstore xenstored revert";

/// As an administrator of years ago may have left it.
const FSTAB: &str = "# <device>\t<dir>\t<type>\t<options>\n\
    /dev/xvda2\t/srv\text3\tnoatime,errors=remount-ro  0 2   # mail\n";

fn play(show: &mut Show) -> Result<(), End> {
    let mut stage = Stage::new()?;
    stage.write_fstab(FSTAB)?;
    stage.refuse_flushes()?;
    show.run(&stage, EARLY_BOOT)?.exits_with(0, "early boot found the refusal")?;
    show.say(
        "Older kernels that are installed know no write_cache, and a rescue system runs no hook. \
         For them the mount option can stay in fstab. First, what would change?",
    );
    let plan = show.run(&stage, PLAN)?;
    plan.exits_with(10, "there is something to change")?;
    let same = stage.fstab()? == FSTAB;
    let touched = if same { "fstab is untouched" } else { "fstab is touched" };
    show.run(&stage, SHOW_FSTAB)?.expect("fstab is untouched", touched)?;

    show.run(&stage, APPLY)?.exits_with(0, "done")?;
    let changed = show.run(&stage, SHOW_FSTAB)?;
    let option = "noatime,errors=remount-ro,barrier=0  0 2   # mail";
    let has = changed.output().contains(option);
    changed.expect("one option more", if has { "one option more" } else { "another line" })?;
    show.run(&stage, PLAN)?.exits_with(0, "nothing is left to do")?;

    show.run(&stage, REVERT)?.exits_with(0, "taken back")?;
    let is_same = stage.fstab()? == FSTAB;
    let came = if is_same { "the bytes from before" } else { "other bytes" };
    show.run(&stage, SHOW_FSTAB)?.expect("the bytes from before", came)
}
