//! Path walking inside a root for kernels without openat2 (before 5.6).
//!
//! The same answer as RESOLVE_IN_ROOT (openat2(2)) for trees that nobody changes meanwhile; it is
//! no defence against somebody who does, which a recording or a test tree does not need.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::{self, Errno};

/// As MAXSYMLINKS (include/linux/namei.h).
const MAX_LINKS: u32 = 40;

/// Opens `path` below `root`, resolving every link inside.
pub fn open_inside(
    root: &OwnedFd,
    path: &[u8],
    flags: OFlags,
    mode: Mode,
) -> Result<OwnedFd, Errno> {
    let mut left: Vec<Vec<u8>> = parts(path).rev().collect();
    let mut above: Vec<OwnedFd> = Vec::new();
    let mut links = 0;
    while let Some(part) = left.pop() {
        let here = above.last().unwrap_or(root).as_fd();
        if part == b".." {
            above.pop();
            continue;
        }
        match fs::readlinkat(here, &part[..], Vec::new()) {
            Ok(_) if left.is_empty() && flags.contains(OFlags::NOFOLLOW) => {
                return fs::openat(here, &part[..], flags, mode);
            }
            Ok(_) if links == MAX_LINKS => return Err(Errno::LOOP),
            Ok(target) => {
                links += 1;
                let target = target.into_bytes();
                if target.first() == Some(&b'/') {
                    above.clear();
                }
                left.extend(parts(&target).rev());
            }
            Err(Errno::INVAL) if !left.is_empty() => {
                let step = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                above.push(fs::openat(here, &part[..], step, Mode::empty())?);
            }
            Err(Errno::INVAL | Errno::NOENT) if left.is_empty() => {
                return fs::openat(here, &part[..], flags | OFlags::NOFOLLOW, mode);
            }
            Err(errno) => return Err(errno),
        }
    }
    match above.pop() {
        Some(dir) => fs::openat(&dir, ".", flags, mode),
        None => io::fcntl_dupfd_cloexec(root, 0),
    }
}

fn parts(path: &[u8]) -> impl DoubleEndedIterator<Item = Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_walk_by_hand_agrees_with_openat2() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
        std::fs::write(dir.path().join("a/b/file"), "x").unwrap();
        for (name, target) in [
            ("abs", "/a/b"),
            ("rel", "a/b"),
            ("out", "../../../a"),
            ("loop", "loop"),
            ("f", "a/b/file"),
        ] {
            symlink(target, dir.path().join(name)).unwrap();
        }
        let root: OwnedFd = std::fs::File::open(dir.path()).unwrap().into();
        let resolve = fs::ResolveFlags::IN_ROOT;
        let paths = [
            "a/b/file",
            "abs/file",
            "/rel/file",
            "out/b/file",
            "loop",
            "f",
            "a/../rel/../b",
            "no",
            "f/x",
            "a",
            ".",
        ];
        for (path, more) in
            paths.iter().flat_map(|path| [(path, OFlags::empty()), (path, OFlags::NOFOLLOW)])
        {
            let flags = OFlags::RDONLY | OFlags::CLOEXEC | more;
            let by_hand = open_inside(&root, path.as_bytes(), flags, Mode::empty());
            let by_kernel = fs::openat2(&root, *path, flags, Mode::empty(), resolve);
            match (by_hand, by_kernel) {
                (Ok(one), Ok(other)) => {
                    let (one, other) = (fs::fstat(&one).unwrap(), fs::fstat(&other).unwrap());
                    assert_eq!((one.st_dev, one.st_ino), (other.st_dev, other.st_ino), "{path}");
                }
                (one, other) => assert_eq!(one.err(), other.err(), "{path} {more:?}"),
            }
        }
    }
}
