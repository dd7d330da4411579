//! The files as bytes, for the way from the child: tag, lengths, contents, and a mark at the end.

use xvdguard_logic::audit::setup::{File, WANTED};
use xvdguard_logic::text::Text;

use super::gather::Gathered;
use crate::parcel::{push, take_mark, take_text};

const ODDITY: u8 = b'o';
const FILE: u8 = b'f';
const FILE_WITH_CONTENT: u8 = b'c';
const UNREADABLE: u8 = b'u';
const END: u8 = b'e';

/// Packs what was gathered.
pub fn pack(gathered: &Gathered) -> Vec<u8> {
    let mut parcel = Vec::new();
    for oddity in &gathered.oddities {
        parcel.push(ODDITY);
        push(&mut parcel, oddity.as_bytes());
    }
    for file in &gathered.files {
        parcel.push(match (&file.content, file.is_readable) {
            (Some(_), _) => FILE_WITH_CONTENT,
            (None, true) => FILE,
            (None, false) => UNREADABLE,
        });
        // Rows of one kind are alike here: the first of them stands for all.
        let row = WANTED.iter().position(|wanted| wanted.kind == file.kind);
        parcel.push(row.and_then(|row| u8::try_from(row).ok()).unwrap_or(u8::MAX));
        push(&mut parcel, file.path.as_bytes());
        push(&mut parcel, file.content.as_ref().map_or(b"", Text::as_bytes));
    }
    parcel.push(END);
    parcel
}

/// Undoes `pack`; `None` for what is not whole.
pub fn unpack(mut parcel: &[u8]) -> Option<Gathered> {
    let mut gathered = Gathered::default();
    loop {
        match take_mark(&mut parcel)? {
            END => return parcel.is_empty().then_some(gathered),
            ODDITY => {
                let oddity = take_text(&mut parcel)?;
                gathered.oddities.push(oddity.as_str()?.to_owned());
            }
            tag @ (FILE | FILE_WITH_CONTENT | UNREADABLE) => {
                let row = take_mark(&mut parcel)?;
                let kind = WANTED.get(usize::from(row))?.kind;
                let path = take_text(&mut parcel)?;
                let content = take_text(&mut parcel)?;
                let content = (tag == FILE_WITH_CONTENT).then_some(content);
                let is_readable = tag != UNREADABLE;
                gathered.files.push(File { path, kind, content, is_readable });
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xvdguard_logic::audit::setup::Kind;

    #[test]
    fn what_is_packed_comes_out_and_half_a_parcel_does_not() {
        let file = |path: &str, kind, content: Option<&str>, is_readable| File {
            path: Text::from(path),
            kind,
            content: content.map(Text::from),
            is_readable,
        };
        let gathered = Gathered {
            files: vec![
                file("etc/fstab", Kind::Fstab, Some("/dev/xvda1 / ext4\n"), true),
                file("proc/swaps", Kind::Swaps, Some(""), true),
                file("run/initramfs", Kind::Mark, None, true),
                file("run/initramfs/fsck-root", Kind::Mark, None, false),
            ],
            oddities: vec!["cannot read /etc/x: why".into()],
        };
        let parcel = pack(&gathered);
        let unpacked = unpack(&parcel).unwrap();
        assert_eq!((unpacked.files, unpacked.oddities), (gathered.files, gathered.oddities));
        for length in 0..parcel.len() {
            assert!(unpack(&parcel[..length]).is_none(), "{length}");
        }
    }
}
