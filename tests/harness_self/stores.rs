//! The real xenstored: private instances, exact values, a store that stops answering.

use std::time::Duration;

use harness::deadline::within;
use harness::requires;
use harness::xenstored::Xenstored;

#[test]
fn two_stores_side_by_side_know_nothing_of_each_other() {
    let Some(_) = requires::xenstored() else { return };
    let (first, second) = (Xenstored::start().unwrap(), Xenstored::start().unwrap());
    first.write("/local/domain/0/name", "first").unwrap();
    assert_ne!(first.socket(), second.socket());
    assert_eq!(first.read("/local/domain/0/name").as_deref(), Some("first"));
    assert_eq!(second.read("/local/domain/0/name"), None);
}

#[test]
fn values_come_back_byte_for_byte() {
    let Some(_) = requires::xenstored() else { return };
    let store = Xenstored::start().unwrap();
    for value in ["", "-1", "a b", r"back\slash \x41 \\", "two\nlines\n", "ä\t\"quoted\""] {
        store.write("/data", value).unwrap();
        assert_eq!(store.read("/data").as_deref(), Some(value));
    }
}

#[test]
fn many_values_take_few_processes_and_are_listed() {
    let Some(_) = requires::xenstored() else { return };
    let store = Xenstored::start().unwrap();
    let pairs: Vec<_> = (0..450).map(|n| (format!("/many/{n}"), n.to_string())).collect();
    store.write_all(&pairs).unwrap();
    let listing = store.listing().unwrap();
    assert_eq!(listing.lines().filter(|line| line.starts_with("/many/")).count(), 450);
    assert!(listing.contains("/many/449 = \"449\"\n"));
    store.remove("/many").unwrap();
    assert!(!store.listing().unwrap().contains("/many"));
}

#[test]
fn a_frozen_store_answers_when_it_thaws() {
    let Some(_) = requires::xenstored() else { return };
    let store = Xenstored::start().unwrap();
    store.write("/key", "1").unwrap();
    store.freeze().unwrap();
    let store = std::sync::Arc::new(store);
    let reader = store.clone();
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(reader.read("/key")));
    assert!(told.recv_timeout(Duration::from_millis(300)).is_err());
    store.thaw().unwrap();
    let answer = told.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(answer.as_deref(), Some("1"));
}

#[test]
fn a_store_that_ends_takes_process_and_directory_along() {
    let Some(_) = requires::xenstored() else { return };
    let mut store = Xenstored::start().unwrap();
    let directory = store.socket().parent().unwrap().to_owned();
    let process = format!("/proc/{}", store.pid());
    assert!(std::fs::exists(&process).unwrap());
    store.freeze().unwrap();
    store.kill();
    assert!(!std::fs::exists(&process).unwrap());
    assert!(store.socket().exists());
    assert_eq!(within(Duration::from_secs(5), move || store.read("/key")), Some(None));
    assert!(!directory.exists());
}
