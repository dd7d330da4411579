//! The kernel log as a file of records.
//!
//! What user space wrote may hold anything, secrets too: such a record keeps its number, so that
//! no gap appears, and loses its text.

use xvdguard_linux::observe::kernel_log::raw_records;
use xvdguard_linux::root::Root;
use xvdguard_logic::kernel_log::record::Record;

use super::{Content, Entry};

/// `dev/kmsg` as one record a line.
pub fn read(root: &Root, oddities: &mut Vec<String>) -> Option<Entry> {
    let records = match raw_records(root) {
        Ok(records) => records,
        Err(error) => {
            oddities.push(format!("{error}; it is not in the recording"));
            return None;
        }
    };
    let mut content = Vec::new();
    for bytes in &records {
        let Some(record) = Record::parse(bytes) else { continue };
        let Record { priority, sequence, boot_us, text, .. } = record;
        let text = if record.is_from_kernel() { text } else { b"(user space)" };
        content.extend_from_slice(format!("{priority},{sequence},{boot_us},-;").as_bytes());
        content.extend_from_slice(text);
        content.push(b'\n');
    }
    Some(Entry { path: b"dev/kmsg".to_vec(), content: Content::File(content) })
}
