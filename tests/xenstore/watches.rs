//! Watches and their events.

use xvdguard_linux::xenstore::{Client, Event};

use crate::setup::{after, connect, far, store};

fn event(client: &mut Client) -> Event {
    client.next_event(far()).unwrap().unwrap()
}

/// All that comes until a moment of silence.
fn events(client: &mut Client) -> Vec<Event> {
    std::iter::from_fn(|| client.next_event(after(200)).unwrap()).collect()
}

#[test]
fn a_watch_tells_once_at_once_and_then_of_each_change() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    client.watch("/backend", "disk", far()).unwrap();
    let first = Event { path: "/backend".into(), token: "disk".into() };
    assert_eq!(events(&mut client), [first]);
    store.write("/backend/feature-flush-cache", "0").unwrap();
    let changed = Event { path: "/backend/feature-flush-cache".into(), token: "disk".into() };
    assert_eq!(event(&mut client), changed);
    store.remove("/backend").unwrap();
    assert_eq!(event(&mut client).token, "disk");
    store.write("/elsewhere", "1").unwrap();
    events(&mut client);
    store.write("/elsewhere", "2").unwrap();
    assert_eq!(events(&mut client), []);
}

#[test]
fn a_relative_watch_has_relative_events() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    client.watch("device/vbd", "vbd", far()).unwrap();
    assert_eq!(event(&mut client).path, "device/vbd");
    store.write("/local/domain/0/device/vbd/51712/state", "4").unwrap();
    assert_eq!(event(&mut client).path, "device/vbd/51712/state");
}

#[test]
fn events_do_not_disturb_answers() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    client.watch("/data", "data", far()).unwrap();
    let pairs: Vec<_> = (0..200).map(|n| (format!("/data/{n}"), n.to_string())).collect();
    store.write_all(&pairs).unwrap();
    for (path, value) in &pairs {
        assert_eq!(client.read(path.as_str(), far()).unwrap(), value.as_str());
    }
    let events = events(&mut client);
    assert!(!events.is_empty() && events.len() <= 64, "{} events", events.len());
}

#[test]
fn an_unwatched_path_is_quiet() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    client.watch("/data", "data", far()).unwrap();
    client.watch("/data", "data", far()).unwrap();
    client.unwatch("/data", "data", far()).unwrap();
    events(&mut client);
    store.write("/data", "1").unwrap();
    assert_eq!(events(&mut client), []);
    assert!(client.unwatch("/data", "data", far()).unwrap_err().is_missing());
}

#[test]
fn each_client_has_its_own_watches() {
    let Some(store) = store() else { return };
    let (mut one, mut two) = (connect(&store), connect(&store));
    one.watch("/data", "of one", far()).unwrap();
    two.watch("/data", "of two", far()).unwrap();
    events(&mut one);
    events(&mut two);
    one.write("/data", "1", far()).unwrap();
    assert_eq!(event(&mut one).token, "of one");
    assert_eq!(event(&mut two).token, "of two");
    assert_eq!(two.read("/data", far()).unwrap(), "1");
    drop(one);
    two.write("/data", "2", far()).unwrap();
    assert_eq!(event(&mut two).token, "of two");
}
