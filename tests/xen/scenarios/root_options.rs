//! Real images hand root's mount option on: what the kernel command line says of root is kept, and
//! barrier=0 stands beside it; nothing of that is left once the real root runs.

use harness::failure::Result;

use crate::broken::{Broken, ROOT};
use crate::build::GuestKernel;
use crate::build::debian::{Kind, USUAL};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// With each maker of images.
pub const STORIES: [(Kind, Story); 2] = [
    (USUAL, Story { name: "root-options-initramfs-tools", ..STORY }),
    (Kind { maker: "dracut", ..USUAL }, Story { name: "root-options-dracut", ..STORY }),
];

const STORY: Story = Story {
    name: "",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always(
        "by name: ro nobarrier, nothing left; by UUID: ro nobarrier commit=17, nothing left; \
         rw: rw nobarrier noatime, nothing left",
    ),
    guard: UNCONFIGURED,
    tell,
};

/// The lever of old kernels, on one that can be played, whatever its disks do.
const NEEDS_OPTION: Broken = Broken {
    name: "root needs barrier=0",
    make: "mkdir -p etc/xvdguard\nprintf '%s\\n' xvdguard-policy=1 barrier.mode=off \
           barrier.lever=mount >etc/xvdguard/frozen.policy",
    fault: "",
    heal: "",
    root: ROOT,
};

/// How root is named and to be mounted, and the options that it must be seen to have.
const ROOTS: [(&str, &str, &[&str]); 3] = [
    ("by name", ROOT, &["ro", "nobarrier"]),
    (
        "by UUID",
        "root=UUID=01234567-89ab-4cde-8f01-23456789abcd ro rootflags=commit=17",
        &["ro", "nobarrier", "commit=17"],
    ),
    ("rw", "root=/dev/xvda rw rootflags=noatime", &["rw", "nobarrier", "noatime"]),
];

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    let mut said = Vec::new();
    for (name, root, wanted) in ROOTS {
        let booted = Broken { root, ..NEEDS_OPTION }.boot(stage)?;
        crate::say(&format!("{name}: {}", booted.options));
        let has = |word: &&&str| booted.options.split(',').any(|option| option == **word);
        let found: Vec<&str> = wanted.iter().filter(has).copied().collect();
        said.push(format!("{name}: {}, {} left", found.join(" "), booted.left));
    }
    Ok(said.join("; "))
}
