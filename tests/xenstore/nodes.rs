//! Reading and changing nodes.

use std::process::Command;

use harness::program;
use xvdguard_linux::xenstore::{Permission, Request};

use crate::setup::{connect, far, store};

const ODD_VALUES: [&str; 7] =
    ["", "1", "-1", "a \"b\" c", r"back\slash \x41 \\", "two\nlines\n", "ä\t\u{7f}\u{1b}"];

#[test]
fn what_another_client_wrote_is_read() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    for value in ODD_VALUES {
        store.write("/data/a", value).unwrap();
        assert_eq!(client.read("/data/a", far()).unwrap(), value);
    }
    let longest = "x".repeat(4096 - "/v\0".len());
    store.write("/v", &longest).unwrap();
    assert_eq!(client.read("/v", far()).unwrap(), longest.as_str());
}

#[test]
fn what_is_written_another_client_reads() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    for value in ODD_VALUES {
        client.write("data/a", value, far()).unwrap();
        assert_eq!(store.read("/local/domain/0/data/a").as_deref(), Some(value));
    }
}

#[test]
fn a_missing_node_is_missing() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    let error = client.read("device/vbd/51712/backend", far()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read device/vbd/51712/backend in xenstore: ENOENT");
    assert!(error.is_missing() && !error.is_quota() && !error.is_permission());
    assert!(client.directory("/nothing", far()).unwrap_err().is_missing());
    assert!(client.get_perms("/nothing", far()).unwrap_err().is_missing());
    assert!(client.rm("/no/parent", far()).unwrap_err().is_missing());
}

#[test]
fn nodes_are_made_listed_and_removed() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    client.mkdir("data/made", far()).unwrap();
    client.mkdir("data/made", far()).unwrap();
    client.write("data/made/by", "us", far()).unwrap();
    store.write("/local/domain/0/data/made/too", "1").unwrap();
    assert_eq!(client.directory("data/made", far()).unwrap(), ["by", "too"]);
    assert_eq!(client.directory("data/made/by", far()).unwrap(), [""; 0]);
    assert_eq!(store.read("/local/domain/0/data/made").as_deref(), Some(""));
    client.rm("data/made", far()).unwrap();
    assert_eq!(store.read("/local/domain/0/data/made/by"), None);
    assert_eq!(store.read("/local/domain/0/data/made"), None);
}

#[test]
fn permissions_are_those_that_xenstore_chmod_set() {
    let Some(store) = store() else { return };
    store.write("/data/a", "1").unwrap();
    let mut chmod = Command::new("xenstore-chmod");
    chmod.env("XENSTORED_PATH", store.socket()).args(["/data/a", "n0", "r1", "w2", "b3"]);
    program::output(&mut chmod).unwrap();
    let permission = |domain, may_read, may_write| Permission { domain, may_read, may_write };
    assert_eq!(
        connect(&store).get_perms("/data/a", far()).unwrap(),
        [
            permission(0, false, false),
            permission(1, true, false),
            permission(2, false, true),
            permission(3, true, true)
        ]
    );
}

#[test]
fn five_hundred_requests_are_one_round_trip() {
    let Some(store) = store() else { return };
    let pairs: Vec<_> = (0..500).map(|n| (format!("/many/{n}"), format!("value {n}"))).collect();
    store.write_all(&pairs).unwrap();
    let mut client = connect(&store);
    let mut requests: Vec<_> = pairs.iter().map(|(path, _)| Request::read(path.as_str())).collect();
    requests.insert(250, Request::read("/missing"));
    let mut results = client.call_all(&requests, far());
    assert!(results.remove(250).unwrap_err().is_missing());
    let values: Vec<_> =
        results.into_iter().map(|result| result.unwrap().value().unwrap()).collect();
    let expected: Vec<_> = pairs.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, expected);
    assert_eq!((client.round_trips(), client.requests()), (1, 501));
}

#[test]
fn the_longest_path_and_the_longest_value_are_taken() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    // Xen 4.17 allows 2048 bytes behind the home of a domain, and elsewhere no more either.
    let below_home = format!("/local/domain/0/{}", "h".repeat(2048));
    for path in [&below_home, &"r".repeat(2048), &format!("/{}", "a".repeat(2047))] {
        client.write(path.as_str(), "1", far()).unwrap();
        assert_eq!(store.read(path).as_deref(), Some("1"));
    }
    let value = "v".repeat(4096 - 16 - "/v\0".len());
    client.write("/v", value.as_str(), far()).unwrap();
    assert_eq!(store.read("/v").as_deref(), Some(value.as_str()));
}

#[test]
fn what_our_limits_refuse_the_server_refuses_too() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    for path in ["/a b", "/a.b", "/a//b", "/a/", "ä"] {
        assert!(store.write(path, "1").is_err(), "{path}");
        assert!(client.write(path, "1", far()).is_err(), "{path}");
    }
    assert_eq!(client.requests(), 0);
}
