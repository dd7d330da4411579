//! Who is real in this story and who is played: said before it begins.

use crate::screen::Screen;

/// What the story is about.
const SUBJECT: &str = "A Xen guest has one disk, xvda2, which its host serves from a DRBD device. \
    The backend says that it takes flushes, and then refuses them.";

/// Who is real and who is played.
const CAST: [(&str, &str); 5] = [
    (
        "real",
        "xvdguard and xvdguard-early as they are shipped, xenstored, storage that refuses \
         flushes, the kernel's block layer, ext3 and its journal",
    ),
    ("played", "the guest is a directory that says of itself: Xen PV guest, Linux 5.10, one vbd"),
    (
        "",
        "a loop device is its disk in place of blkfront: it hands a refused flush to the file \
         system as an error",
    ),
    (
        "",
        "one small stand-in is the host's blkback: it sets feature-flush-cache to 0 in xenstore \
         when a flush is refused",
    ),
    (
        "where",
        "guest, storage and xenstored are in a folder that goes away; this machine's disks, mounts \
         and xenstore are left alone, its kernel log keeps some lines",
    ),
];

/// Says it.
pub fn introduce(screen: Screen) {
    screen.title("xvdguard on broken storage");
    screen.say(SUBJECT);
    for (word, text) in CAST {
        screen.explain(word, text);
    }
}
