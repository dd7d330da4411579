//! Bytes for the way from a child to its parent: marks, and texts with their length.
//!
//! Knows nothing of what it carries. A parcel that is not whole gives `None`, never half a text.

use xvdguard_logic::text::Text;

/// Adds a text.
pub fn push(parcel: &mut Vec<u8>, text: &[u8]) {
    parcel.extend_from_slice(&(text.len() as u32).to_le_bytes());
    parcel.extend_from_slice(text);
}

/// Takes a mark.
pub fn take_mark(parcel: &mut &[u8]) -> Option<u8> {
    take(parcel, 1)?.first().copied()
}

/// Takes a text.
pub fn take_text(parcel: &mut &[u8]) -> Option<Text> {
    let length = take(parcel, 4)?.try_into().ok().map(u32::from_le_bytes)?;
    Some(Text::from(take(parcel, length as usize)?))
}

fn take<'a>(parcel: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = parcel.split_at_checked(count)?;
    *parcel = rest;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_taken_and_half_of_it_is_not() {
        let mut parcel = vec![b'x'];
        push(&mut parcel, b"a\0\xff");
        push(&mut parcel, b"");
        let mut rest = &parcel[..];
        assert_eq!(take_mark(&mut rest), Some(b'x'));
        assert_eq!(take_text(&mut rest), Some(Text::from(&b"a\0\xff"[..])));
        assert_eq!(take_text(&mut rest), Some(Text::default()));
        assert_eq!((take_mark(&mut rest), take_text(&mut rest)), (None, None));
        assert_eq!(take_text(&mut &parcel[1..7]), None);
    }
}
