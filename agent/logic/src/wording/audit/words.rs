//! Words of the kernel command line and of modprobe.d.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt::Display;

use super::Said;
use crate::text::Text;

/// `blkfront-parameter-unknown`
pub const BLKFRONT_PARAMETER_UNKNOWN: &str = "a parameter that the driver of Xen's disks never had";
/// `blkfront-max-renamed`
pub const BLKFRONT_MAX_RENAMED: &str = "xen_blkfront.max, which does nothing since Linux 4.15";
/// `timeout-word`
pub const TIMEOUT_WORD: &str =
    "a time-out or retry word that no kernel knows: Xen's disks have neither";
/// `barrier-off-word`
pub const BARRIER_OFF_WORD: &str =
    "barrier=off on the kernel command line: no flush reaches any disk";
/// `kernel-word-misread`
pub const KERNEL_WORD_MISREAD: &str = "a word for xvdguard with a value that it does not know";
/// `fsck-switched-off`
pub const FSCK_SWITCHED_OFF: &str =
    "a kernel word that keeps every boot from checking file systems";

const FROM_WHERE: &str = "take it out of the boot loader's configuration (on hosts that supply the \
    kernel: out of \"extra\") or of modprobe.d";

/// A parameter that xen_blkfront never had.
pub fn parameter_unknown(shown: &dyn Display, name: &str, stops_loading: bool) -> Said {
    let name = Text::from(name);
    let effect = if stops_loading {
        "kernels before 3.11 refuse to load a module with such an option, and the guest then has \
         no disk"
    } else {
        "the kernel ignores it"
    };
    Said::new(
        format!("\"{shown}\": xen_blkfront has no parameter \"{name}\" in any version; {effect}"),
        FROM_WHERE,
    )
}

/// `xen_blkfront.max`.
pub fn max_renamed(shown: &dyn Display, kernel: &Text) -> Said {
    Said::new(
        format!(
            "\"{shown}\" does nothing on kernel {kernel}: since 4.15 the parameter is called \
             max_indirect_segments"
        ),
        "say xen_blkfront.max_indirect_segments=N, or nothing: the default of 32 fits most guests",
    )
}

/// `timeout=300`.
pub fn timeout_word(shown: &dyn Display) -> Said {
    Said::new(
        format!(
            "\"{shown}\" is no word of the kernel's. xen-blkfront has neither time-out nor \
             retries: it waits for the backend as long as that takes, and hands an error on at once"
        ),
        format!(
            "{FROM_WHERE}. Whether an outage is survived is decided on the host: it must queue \
             (multipath no_path_retry, iSCSI replacement_timeout), not answer with errors"
        ),
    )
}

/// `barrier=off`, with its price; `names` are the disks that it takes flushes from.
pub fn barrier_off(shown: &dyn Display, names: &[String]) -> Said {
    const REMEDY: &str = "take it out; barrier=auto (the default) switches flushes off where, and \
        only where, a backend refuses them";
    if names.is_empty() {
        let text = format!(
            "\"{shown}\" does nothing here: no backend offers a flush. It would, unseen, after the \
             guest has moved to another host"
        );
        return Said::new(text, REMEDY);
    }
    Said::new(
        format!(
            "\"{shown}\" keeps every flush from {}. Its price: after a power loss of the host, \
             writes that it had not flushed are lost, and file systems with them",
            names.join(", ")
        ),
        REMEDY,
    )
}

/// A word for xvdguard with a value that it does not know.
pub fn misread(oddity: String) -> Said {
    Said::new(oddity, "correct the word; xvdguard --help names those that exist")
}

/// `fsck.mode=skip`.
pub fn fsck_off(shown: &dyn Display) -> Said {
    let text = format!(
        "\"{shown}\": no boot checks a file system, so one whose journal was aborted comes up \
         again with the damage it has"
    );
    Said::new(text, FROM_WHERE.to_string())
}
