//! Which byte of a file stands in which line.

/// The lines of a file.
#[derive(Debug)]
pub struct Lines<'a> {
    content: &'a [u8],
    /// Where each line begins; the first at 0.
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Looks for the ends of lines once.
    pub fn of(content: &'a [u8]) -> Self {
        let newlines = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        let starts = [0].into_iter().chain(newlines.map(|(at, _)| at + 1)).collect();
        Lines { content, starts }
    }

    /// The line in which a byte stands, from 1; of what is beyond the end, the last.
    pub fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at)
    }

    /// Where a line begins, and its bytes without its end.
    pub fn line(&self, number: usize) -> (usize, &'a [u8]) {
        let start = self.starts.get(number - 1).copied().unwrap_or(self.content.len());
        let end = self.starts.get(number).map_or(self.content.len(), |next| next - 1);
        let line = &self.content[start..end];
        (start, line.strip_suffix(b"\r").unwrap_or(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_its_line() {
        let lines = Lines::of(b"ab\r\n\nc");
        for (at, number, start, line) in [
            (0, 1, 0, &b"ab"[..]),
            (3, 1, 0, b"ab"),
            (4, 2, 4, b""),
            (5, 3, 5, b"c"),
            (6, 3, 5, b"c"),
            (99, 3, 5, b"c"),
        ] {
            assert_eq!((lines.number(at), lines.line(number)), (number, (start, line)), "{at}");
        }
        assert_eq!((Lines::of(b"").number(0), Lines::of(b"").line(1)), (1, (0, &b""[..])));
        assert_eq!(Lines::of(b"a\n").line(2), (2, &b""[..]));
    }
}
