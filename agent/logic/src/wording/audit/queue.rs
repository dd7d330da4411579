//! What is said of the configuration and of queue limits.

use alloc::format;

use super::Said;
use crate::audit::Problem;
use crate::policy::Chosen;
use crate::policy::queue::QueueAttribute;
use crate::text::Text;

/// `configuration-wrong`
pub const CONFIGURATION_WRONG: &str =
    "an error in xvdguard's configuration, so that nothing of it holds";
/// `queue-limit-not-in-force`
pub const QUEUE_LIMIT_NOT_IN_FORCE: &str =
    "a queue limit of the configuration was refused or rounded by the kernel";

/// An error, with what the configuration's reader says of it.
pub fn configuration_wrong(problem: &Problem) -> Said {
    let Problem { text, remedy, .. } = problem;
    let remedy = remedy.clone().unwrap_or_else(|| "xvdguard config check".into());
    Said::new(format!("{text}. Until this is right, nothing of the configuration holds"), remedy)
}

/// What the policy wants, and what the disk has; none where this kernel lacks the attribute.
pub fn not_in_force(attribute: QueueAttribute, wanted: &Chosen<Text>, has: Option<&Text>) -> Said {
    let Chosen { value: wanted, origin } = wanted;
    let Some(has) = has else {
        return Said::new(
            format!("{origin} wants {wanted}; this kernel has no {attribute} for the disk"),
            "take it out of [[queue]]",
        );
    };
    let why = match attribute {
        QueueAttribute::MaxSectorsKb => {
            " (the kernel takes none above max_hw_sectors_kb and none below 4)"
        }
        QueueAttribute::ReadAheadKb => " (the kernel rounds it down to pages of 4 KiB)",
        QueueAttribute::NrRequests => " (the kernel takes none below 4)",
        QueueAttribute::Scheduler => " (the kernel takes those that the file lists)",
        _ => "",
    };
    Said::new(
        format!("{origin} wants {wanted}, the disk has {has}{why}"),
        "correct [[queue]]; or, where somebody else writes it (udev rules, tuned), \
         let one of the two do it",
    )
}
