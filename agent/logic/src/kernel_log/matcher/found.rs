//! A message that was understood, and the parts of its line; borrowed, nothing is allocated.

use super::ids::Id;

/// A line that says something, and what its parts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    /// Which message.
    pub id: Id,
    /// The device it speaks of, as the kernel names it. Never taken from what a process may choose.
    pub device: Option<&'a [u8]>,
    captures: [(Capture, &'a [u8]); Match::MOST],
    count: u8,
}

impl<'a> Match<'a> {
    /// No row has more captures beside its device.
    const MOST: usize = 8;

    pub(super) fn new(id: Id, device: Option<&'a [u8]>) -> Self {
        Match { id, device, captures: [(Capture::Device, &[]); Match::MOST], count: 0 }
    }

    /// The same with these captures; what is `None` took no part.
    pub(super) fn with(mut self, captures: &[(Capture, Option<&'a [u8]>)]) -> Self {
        let there = captures.iter().filter_map(|(name, text)| Some((*name, (*text)?)));
        for (place, capture) in self.captures.iter_mut().zip(there) {
            *place = capture;
            self.count += 1;
        }
        self
    }

    /// A part of the line by its name.
    pub fn get(&self, name: Capture) -> Option<&'a [u8]> {
        self.captures().find(|(other, _)| *other == name).map(|(_, text)| text)
    }

    /// A part of the line that is a decimal number.
    pub fn number(&self, name: Capture) -> Option<u64> {
        core::str::from_utf8(self.get(name)?).ok()?.parse().ok()
    }

    /// All parts with their names, the device first.
    pub fn captures(&self) -> impl Iterator<Item = (Capture, &'a [u8])> + '_ {
        let device = self.device.map(|device| (Capture::Device, device));
        let others = self.captures.iter().take(usize::from(self.count)).copied();
        device.into_iter().chain(others)
    }
}

macro_rules! captures {
    ($($capture:ident = $name:literal, $what:literal;)*) => {
        /// What a part of a line is: the groups of the table's patterns.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Capture {
            $(#[doc = $what] $capture,)*
        }

        impl Capture {
            /// The name of the group.
            pub fn name(self) -> &'static str {
                match self { $(Capture::$capture => $name,)* }
            }
        }
    };
}

captures! {
    Block = "block", "A number of a block of the device.";
    BounceBuffer = "bounce_buffer", "`enabled` or `disabled`.";
    Comm = "comm", "The name of a task, which may be any bytes that somebody chose.";
    Corrupt = "corrupt", "How many blocks were corrupt.";
    Count = "count", "How many, or which: sectors, handles, dropped lines.";
    Device = "device", "The device as the kernel names it.";
    Empty = "empty", "`empty `: the flush carried no data.";
    Errno = "errno", "An error number, with or without its sign.";
    FileSystem = "file_system", "A type of file system.";
    Flags = "flags", "Flags, mostly hexadecimal.";
    Flush = "flush", "How many flushes failed.";
    Function = "function", "A function of the kernel.";
    Generation = "generation", "How many generations were wrong.";
    Index = "index", "An index.";
    IndirectDescriptors = "indirect_descriptors", "`enabled` or `disabled`.";
    Inode = "inode", "A number of an inode; of a journal its own.";
    Kind = "kind", "What sort of error.";
    Level = "level", "`error`, `warning` and the like.";
    Line = "line", "A line of the kernel's source.";
    Log = "log", "The device of the log.";
    Major = "major", "A major number.";
    Map = "map", "The numbers of a multipath map.";
    Member = "member", "A device below a file system, without `/dev/`.";
    Message = "message", "Free text, which may hold names of files that somebody chose.";
    Minor = "minor", "A minor number.";
    Mode = "mode", "How barriers were kept in order.";
    Module = "module", "A module of the kernel.";
    Offset = "offset", "An offset.";
    Operation = "operation", "What was asked for.";
    OperationName = "operation_name", "The same in capitals.";
    Option = "option", "An option or parameter.";
    PersistentGrants = "persistent_grants", "`enabled` or `disabled`.";
    Pid = "pid", "The number of a process.";
    Priority = "priority", "A class of priority.";
    Read = "read", "How many reads failed.";
    Reason = "reason", "Why.";
    Seconds = "seconds", "Seconds.";
    Sector = "sector", "A number of a sector of 512 bytes.";
    Segments = "segments", "How many segments of memory.";
    Size = "size", "Bytes.";
    State = "state", "`enabled`, `disabled`, or letters of btrfs.";
    Vbd = "vbd", "The number of a vbd.";
    What = "what", "What was lost, read or written.";
    Write = "write", "How many writes failed.";
}
