//! One record of `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg): `6,339,5140900,-;text`.

/// One record, borrowed from the buffer it was read into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Facility times 8 plus level.
    pub priority: u32,
    /// Counts up by one from 0 at boot.
    pub sequence: u64,
    /// Microseconds since boot, by the kernel's clock, which stops while suspended.
    pub boot_us: u64,
    /// The message, without the dictionary that may follow it.
    pub text: &'a [u8],
}

impl<'a> Record<'a> {
    /// Reads one record; `None` for what is none.
    pub fn parse(record: &'a [u8]) -> Option<Self> {
        let semicolon = record.iter().position(|byte| *byte == b';')?;
        let prefix = core::str::from_utf8(&record[..semicolon]).ok()?;
        let mut fields = prefix.split(',');
        let priority = fields.next()?.parse().ok()?;
        let sequence = fields.next()?.parse().ok()?;
        let boot_us = fields.next()?.parse().ok()?;
        let text = &record[semicolon + 1..];
        let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
        Some(Record { priority, sequence, boot_us, text: &text[..end] })
    }

    /// Milliseconds since boot, as decisions count.
    pub fn boot_ms(&self) -> u64 {
        self.boot_us / 1000
    }

    /// Facility 0 is the kernel; everything that user space writes has another one.
    pub fn is_from_kernel(&self) -> bool {
        self.priority < 8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_without_its_dictionary() {
        let record = Record::parse(b"4,812,58603896,-,caller=T1;blkfront: x\n SUBSYSTEM=xen\n");
        let expected =
            Record { priority: 4, sequence: 812, boot_us: 58603896, text: b"blkfront: x" };
        assert_eq!(record, Some(expected));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bytes in [&b""[..], b"text", b"a,b,c;x", b"4,1;x", b"4,1,2", b"\xff,1,2,-;x"] {
            assert_eq!(Record::parse(bytes), None);
        }
    }

    #[test]
    fn user_space_is_not_the_kernel() {
        assert!(Record::parse(b"7,1,1,-;x").is_some_and(|record| record.is_from_kernel()));
        assert!(Record::parse(b"12,1,1,-;x").is_some_and(|record| !record.is_from_kernel()));
    }
}
