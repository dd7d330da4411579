//! The policy as the image carries it: `key=value` lines, so that early boot needs no TOML.
//!
//! Written by `xvdguard config freeze`, read by `xvdguard-early`. What cannot be understood is
//! said and left out: a broken policy never stops a boot and never switches anything off.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::queue::{QueueAttribute, QueueRule};
use super::word::Word;
use super::{BarrierMode, Chosen, Lever, Origin, Policy};
use crate::text::Text;

/// The first line of every frozen policy.
pub const HEADER: &str = "xvdguard-policy=1";

/// Larger files are no policy of ours.
pub const MAX_BYTES: usize = 64 * 1024;

/// Reads a frozen policy. The second value lists what was not understood, each with its line.
pub fn parse(content: &[u8]) -> (Policy, Vec<String>) {
    let mut policy = Policy::default();
    let mut oddities = Vec::new();
    let text = String::from_utf8_lossy(content);
    let mut lines = text.lines().enumerate();
    if content.len() > MAX_BYTES || !matches!(lines.next(), Some((_, HEADER))) {
        oddities.push(format!(
            "frozen policy: the first line is not \"{HEADER}\" or the file exceeds {MAX_BYTES} \
             bytes; the defaults are used. Do: rebuild the initramfs"
        ));
        return (policy, oddities);
    }
    for (index, line) in lines {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Err(why) = take(&mut policy, line) {
            let shown = Text::from(line);
            oddities
                .push(format!("frozen policy line {}: {why}: \"{shown}\", ignoring", index + 1));
        }
    }
    (policy, oddities)
}

fn take(policy: &mut Policy, line: &str) -> Result<(), &'static str> {
    let (key, value) = line.split_once('=').ok_or("not key=value")?;
    match key {
        "hash" => policy.hash = Some(Text::from(value)),
        "barrier.mode" => {
            policy.barrier = frozen(BarrierMode::from_word(value).ok_or("unknown mode")?);
        }
        "barrier.lever" => {
            policy.lever = frozen(Lever::from_word(value).ok_or("unknown lever")?);
        }
        _ => return take_queue(policy, key, value),
    }
    Ok(())
}

/// `queue.match=xvd*` begins a rule; the keys after it belong to that rule.
fn take_queue(policy: &mut Policy, key: &str, value: &str) -> Result<(), &'static str> {
    let key = key.strip_prefix("queue.").ok_or("unknown key")?;
    let text = Text::from_escaped(value).ok_or("a backslash must begin \\xNN")?;
    if key == "match" {
        policy.queue.push(QueueRule { name: frozen(text), ..QueueRule::default() });
        return Ok(());
    }
    let rule = policy.queue.last_mut().ok_or("a queue key before any queue.match")?;
    match key {
        "backend" => rule.backend = frozen(text),
        "params" => rule.params = frozen(text),
        _ => {
            let attribute = QueueAttribute::from_name(key).ok_or("unknown queue attribute")?;
            if !attribute.accepts(value) {
                return Err("no kernel accepts this value");
            }
            rule.settings.insert(attribute, frozen(text));
        }
    }
    Ok(())
}

/// What tells two policies apart: FNV-1a over all that the image carries, in hexadecimal. A change
/// of what only the daemon reads leaves it as it is: no image has to be built for that.
pub fn hash(policy: &Policy) -> Text {
    let content = print(&Policy { hash: None, ..policy.clone() });
    let hash = content.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    Text::from(format!("{hash:016x}"))
}

fn frozen<T>(value: T) -> Chosen<T> {
    Chosen { value, origin: Origin::FrozenPolicy }
}

/// Writes what `parse` reads.
pub fn print(policy: &Policy) -> String {
    let mut lines = Vec::from([HEADER.to_string()]);
    lines.extend(policy.hash.iter().map(|hash| format!("hash={hash}")));
    lines.push(format!("barrier.mode={}", policy.barrier.value.word()));
    lines.push(format!("barrier.lever={}", policy.lever.value.word()));
    for rule in &policy.queue {
        lines.push(format!("queue.match={}", rule.name.value));
        lines.push(format!("queue.backend={}", rule.backend.value));
        lines.push(format!("queue.params={}", rule.params.value));
        let settings = rule.settings.iter();
        lines.extend(settings.map(|(key, chosen)| format!("queue.{key}={}", chosen.value)));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "xvdguard-policy=1\nhash=12ab\nbarrier.mode=on\nbarrier.lever=mount\n\
        queue.match=xvd*\nqueue.backend=drbd\nqueue.params=*\nqueue.max_sectors_kb=4\n\
        queue.read_ahead_kb=4096\nqueue.match=xvdb\nqueue.backend=*\nqueue.params=*\n\
        queue.scheduler=none\n";

    #[test]
    fn what_is_printed_is_read_back() {
        let (policy, oddities) = parse(FULL.as_bytes());
        assert_eq!(oddities, [] as [&str; 0]);
        assert_eq!(policy.barrier.value, BarrierMode::On);
        assert_eq!(policy.lever.value, Lever::Mount);
        assert_eq!(policy.queue.len(), 2);
        assert_eq!(print(&policy), FULL);
    }

    #[test]
    fn the_hash_is_of_all_that_the_image_carries_and_of_nothing_else() {
        let hash_of = |text: &str| hash(&parse(format!("{HEADER}\n{text}\n").as_bytes()).0);
        let queue = "queue.match=xvda\nqueue.nomerges=1";
        assert_eq!(hash_of("hash=0"), hash(&Policy::default()));
        let different = ["", "barrier.mode=on", "barrier.lever=queue", "queue.match=xvda", queue];
        let hashes = different.map(hash_of);
        assert_eq!(alloc::collections::BTreeSet::from(hashes).len(), different.len());
    }

    #[test]
    fn garbage_leaves_the_defaults_and_says_so() {
        for garbage in [&b""[..], b"\xff\xfe\0\0", b"barrier.mode=off\n", &[b'x'; 70_000]] {
            let (policy, oddities) = parse(garbage);
            assert_eq!(policy, Policy::default());
            assert_eq!(oddities.len(), 1);
        }
    }

    #[test]
    fn one_broken_line_costs_only_itself() {
        let text = "xvdguard-policy=1\nbarrier.mode=perhaps\nqueue.nomerges=1\nnonsense\n\
            queue.match=xvda\nqueue.write_cache=write through\nqueue.nr_requests=64\n";
        let (policy, oddities) = parse(text.as_bytes());
        assert_eq!(oddities.len(), 4, "{oddities:?}");
        assert!(oddities[0].starts_with("frozen policy line 2: unknown mode"), "{oddities:?}");
        assert_eq!(policy.queue[0].settings.len(), 1);
        assert_eq!(policy.barrier.value, BarrierMode::Auto);
    }
}
