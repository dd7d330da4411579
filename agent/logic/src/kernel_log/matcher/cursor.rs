//! A place in a line, and steps from there: what every matcher is made of. A step that fails has
//! not moved.

/// The rest of a line.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [u8],
}

/// Names of disks and partitions are shorter than this (DISK_NAME_LEN of include/linux/blkdev.h,
/// BDEVNAME_SIZE, `s_id` of a super block).
const NAME_LIMIT: usize = 32;

impl<'a> Cursor<'a> {
    /// At the start of `line`.
    pub fn new(line: &'a [u8]) -> Self {
        Cursor { rest: line }
    }

    /// The start of `line`, if it begins with `text`: behind that.
    #[inline]
    pub fn after<const N: usize>(line: &'a [u8], text: &[u8; N]) -> Option<Self> {
        behind(line, text).map(Cursor::new)
    }

    /// What has not been read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Exactly this text.
    #[inline]
    pub fn text<const N: usize>(&mut self, text: &[u8; N]) -> Option<()> {
        self.rest = behind(self.rest, text)?;
        Some(())
    }

    /// Whether this text came, which may be missing.
    pub fn maybe<const N: usize>(&mut self, text: &[u8; N]) -> bool {
        self.text(text).is_some()
    }

    /// The first of these texts that comes.
    pub fn one_of(&mut self, texts: &[&[u8]]) -> Option<&'a [u8]> {
        let first = self.rest.first();
        let comes = |text: &&&[u8]| text.first() == first && self.rest.starts_with(text);
        let text = texts.iter().find(comes)?;
        Some(self.take(text.len()))
    }

    /// As many bytes as are accepted, at least one.
    pub fn some(&mut self, accepts: impl Fn(u8) -> bool) -> Option<&'a [u8]> {
        let rejected = self.rest.iter().position(|byte| !accepts(*byte));
        let length = rejected.unwrap_or(self.rest.len());
        (length > 0).then(|| self.take(length))
    }

    /// The name of a device.
    pub fn device(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let name = ahead.some(is_device).filter(|name| name.len() < NAME_LIMIT)?;
        *self = ahead;
        Some(name)
    }

    /// Decimal digits.
    pub fn digits(&mut self) -> Option<&'a [u8]> {
        self.some(|byte| byte.is_ascii_digit())
    }

    /// Decimal digits, perhaps behind a minus.
    pub fn number(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let sign = usize::from(ahead.maybe(b"-"));
        let length = ahead.digits()?.len() + sign;
        Some(self.take(length))
    }

    /// `0x` and digits below it in small letters.
    pub fn hexadecimal(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        ahead.text(b"0x")?;
        let length = ahead.some(is_hex)?.len() + b"0x".len();
        Some(self.take(length))
    }

    /// An identifier of C.
    pub fn identifier(&mut self) -> Option<&'a [u8]> {
        self.some(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// What comes before `byte`, at least one byte; `byte` itself stays.
    pub fn before(&mut self, byte: u8) -> Option<&'a [u8]> {
        let length = self.rest.iter().position(|other| *other == byte)?;
        (length > 0).then(|| self.take(length))
    }

    /// Everything before `text`, which ends the line.
    pub fn up_to_end(&mut self, text: &[u8]) -> Option<&'a [u8]> {
        let before = self.rest.strip_suffix(text)?;
        self.rest = &[];
        Some(before)
    }

    /// The end of the line.
    pub fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    /// Exactly this text, and then the end of the line.
    pub fn last(&mut self, text: &[u8]) -> Option<()> {
        (self.rest == text).then(|| self.rest = &[])
    }

    fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

/// What comes behind `text`. Its length is known to the compiler, which compares some words of the
/// machine: no function is called for a line that is about something else, as nearly all are.
#[inline]
fn behind<'a, const N: usize>(line: &'a [u8], text: &[u8; N]) -> Option<&'a [u8]> {
    let (start, rest) = line.split_first_chunk()?;
    (start == text).then_some(rest)
}

/// The bytes of names of devices.
pub fn is_device(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'!' | b'/' | b'.' | b'-')
}

/// Digits as `%x` prints them.
pub fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
