//! The queues of disks, read in children with a deadline: while a request hangs in a queue and
//! somebody changes one of its limits, the kernel lets nobody read it, beyond any signal (6.18).
//!
//! Never reads a queue in the caller. Many disks share a child; where that one does not come back,
//! each of its disks is asked by a child of its own, so that a silent disk hides no other.
//! Tests: `tests/probe/hanging.rs`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use xvdguard_logic::disk::{BlockDisk, Disk};
use xvdguard_logic::text::Text;

use super::block_devices::path;
use crate::child::{self, Ending, SHORT_ANSWER, Task};
use crate::root::Root;

/// How long a queue may take; reading one is a matter of microseconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an attribute takes in an answer, most often: "write through" is 13. One child then reads
/// hundreds of disks for early boot, which asks for nothing else.
const VALUE_BYTES: usize = 16;

/// A disk to be read, and which attributes of it.
struct Order<'a> {
    name: &'a Text,
    device: &'a mut BlockDisk,
    attributes: Vec<&'static str>,
}

/// Reads attributes of each disk's queue, for the first time or again; `attributes` names them.
pub fn read<'a>(
    root: &Root,
    disks: impl Iterator<Item = &'a mut Disk>,
    attributes: impl Fn(&Disk) -> Vec<&'static str>,
    oddities: &mut Vec<String>,
) {
    let orders = disks.filter_map(|disk| {
        let attributes = attributes(disk);
        let Disk { name, device, .. } = disk;
        Some(Order { name, device: device.as_mut()?, attributes })
    });
    read_orders(root, orders.collect(), oddities);
}

/// Reads the same attributes of each of these block devices.
pub fn read_devices(
    root: &Root,
    devices: &mut BTreeMap<Text, BlockDisk>,
    attributes: &[&'static str],
    oddities: &mut Vec<String>,
) {
    let orders = devices.iter_mut();
    let orders = orders.map(|(name, device)| Order { name, device, attributes: attributes.into() });
    read_orders(root, orders.collect(), oddities);
}

fn read_orders(root: &Root, mut orders: Vec<Order<'_>>, oddities: &mut Vec<String>) {
    orders.retain(|order| !order.attributes.is_empty());
    let longest = orders.iter().map(|order| order.attributes.len()).max().unwrap_or(0);
    let batch = (SHORT_ANSWER / VALUE_BYTES / longest.max(1)).max(1);
    let share_children = batch > 1 && orders.len() > 1;
    let mut silent = ask(root, orders.iter_mut().collect(), batch);
    if share_children {
        silent = ask(root, silent, 1);
    }
    for order in silent {
        order.device.queue_is_silent = true;
        oddities.push(format!(
            "the queue of {} does not answer within {} ms: a request hangs in it; its settings \
             are not known",
            order.name,
            PATIENCE.as_millis()
        ));
    }
}

/// Asks for all of them, so many in one child; returns those that got no answer.
fn ask<'a, 'b>(
    root: &Root,
    mut orders: Vec<&'a mut Order<'b>>,
    batch: usize,
) -> Vec<&'a mut Order<'b>> {
    let tasks = orders.chunks(batch).map(|chunk| {
        let asked: Vec<_> =
            chunk.iter().map(|order| (order.name.clone(), order.attributes.clone())).collect();
        let task: Task<'_> = Box::new(move || in_child(root, &asked));
        task
    });
    let endings = child::run_all(tasks.collect(), Instant::now() + PATIENCE);
    let answers = endings.into_iter().flat_map(|ending| match ending {
        Ok(Ending::Answered(bytes)) => lines(&bytes, batch),
        _ => vec![None; batch],
    });
    let answers: Vec<_> = answers.take(orders.len()).collect();
    for (order, answer) in orders.iter_mut().zip(&answers) {
        if let Some(answer) = answer {
            order.take(answer);
        }
    }
    let silent = orders.into_iter().zip(answers).filter(|(_, answer)| answer.is_none());
    silent.map(|(order, _)| order).collect()
}

/// One line for each disk, its values separated by NUL bytes; an empty one is not there.
fn in_child(root: &Root, asked: &[(Text, Vec<&'static str>)]) -> Vec<u8> {
    let Ok(root) = root.reopen() else { return Vec::new() };
    let mut answer = Vec::new();
    for (name, attributes) in asked {
        for attribute in attributes {
            let file = path(name, &format!("/queue/{attribute}"));
            let value = root.read_text(&file).ok().flatten().unwrap_or_default();
            answer.extend(value.as_bytes().iter().filter(|byte| !b"\0\n".contains(byte)));
            answer.push(0);
        }
        answer.push(b'\n');
    }
    answer
}

/// The complete lines of an answer, and none for each disk that is missing.
fn lines(answer: &[u8], count: usize) -> Vec<Option<Vec<u8>>> {
    let complete = answer.split_inclusive(|byte| *byte == b'\n');
    let complete = complete.filter_map(|line| line.strip_suffix(b"\n"));
    let mut lines: Vec<_> = complete.map(|line| Some(line.to_vec())).collect();
    lines.resize(count, None);
    lines
}

impl Order<'_> {
    fn take(&mut self, line: &[u8]) {
        self.device.queue_is_silent = false;
        for (attribute, value) in self.attributes.iter().zip(line.split(|byte| *byte == 0)) {
            if !value.is_empty() {
                self.device.queue.insert((*attribute).into(), Text::from(value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn many_disks_are_read_by_few_children_and_none_is_mixed_up() {
        let dir = tempfile::tempdir().unwrap();
        let mut devices = BTreeMap::new();
        for index in 0..300 {
            let name = format!("xvd{index}");
            let queue = dir.path().join("sys/block").join(&name).join("queue");
            std::fs::create_dir_all(&queue).unwrap();
            std::fs::write(queue.join("nr_requests"), format!("{index}\n")).unwrap();
            if index % 2 == 0 {
                std::fs::write(queue.join("scheduler"), "[none] mq-deadline\n").unwrap();
            }
            devices.insert(Text::from(name), BlockDisk::default());
        }
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let mut oddities = Vec::new();
        read_devices(&root, &mut devices, &["scheduler", "nr_requests"], &mut oddities);
        assert_eq!(oddities, [""; 0]);
        for (name, device) in devices {
            let index: usize = name.as_str().unwrap()[3..].parse().unwrap();
            assert_eq!(device.queue["nr_requests"], Text::from(index.to_string()));
            assert_eq!(device.queue.contains_key("scheduler"), index % 2 == 0);
        }
    }

    #[test]
    fn an_answer_that_was_cut_off_counts_for_its_complete_lines() {
        assert_eq!(lines(b"a\0\nb\0\nc", 3), [Some(b"a\0".to_vec()), Some(b"b\0".to_vec()), None]);
        assert_eq!(lines(b"", 1), [None]);
    }
}
