//! Listings: longer than one message, and saved by xenstore-ls.

use std::process::Command;

use harness::program;
use harness::xenstored::Xenstored;
use xvdguard_linux::xenstore::{Listing, Request, Source};

use crate::setup::{connect, far, store};

fn output(store: &Xenstored, name: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(name);
    program::output(command.env("XENSTORED_PATH", store.socket()).args(arguments)).unwrap()
}

#[test]
fn thousands_of_children_are_listed_in_parts() {
    let Some(store) = store() else { return };
    let pairs: Vec<_> = (0..3000).map(|n| (format!("/many/child-{n}"), "")).collect();
    store.write_all(&pairs).unwrap();
    let expected = output(&store, "xenstore-list", &["/many"]);
    let mut client = connect(&store);
    let names = client.directory("/many", far()).unwrap();
    assert_eq!(names, expected.lines().collect::<Vec<_>>());
    assert_eq!(names.len(), 3000);
    let bytes = expected.len() as u64;
    assert!(client.round_trips() <= 2 + bytes / 4000, "{} round trips", client.round_trips());
}

#[test]
fn a_listing_that_changes_between_its_parts_is_still_right() {
    let Some(store) = store() else { return };
    let pairs: Vec<_> = (0..1500).map(|n| (format!("/many/child-{n}"), "")).collect();
    store.write_all(&pairs).unwrap();
    let mut client = connect(&store);
    let mut complete = 0;
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            for n in 0..40 {
                store.write(&format!("/many/new-{n}"), "").unwrap();
            }
        });
        while !other.is_finished() {
            let Ok(names) = client.directory("/many", far()) else { continue };
            assert!((1500..=1540).contains(&names.len()), "{} names", names.len());
            complete += 1;
        }
    });
    assert!(complete > 0);
    assert_eq!(client.directory("/many", far()).unwrap().len(), 1540);
}

#[test]
fn a_children_list_at_the_edge_of_a_message_is_whole() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    // 64 names of 63 bytes and their NULs are the 4096 bytes that fit; one byte more does not.
    let name = |n: usize| format!("/edge/{n:063}");
    let pairs: Vec<_> = (0..64).map(|n| (name(n), "")).collect();
    store.write_all(&pairs).unwrap();
    for more in ["", "/edge/x"] {
        if !more.is_empty() {
            store.write(more, "").unwrap();
        }
        let expected = output(&store, "xenstore-list", &["/edge"]);
        let names = client.directory("/edge", far()).unwrap();
        assert_eq!(names, expected.lines().collect::<Vec<_>>());
    }
}

/// A store with odd values, and the paths in it.
fn odd_store(store: &Xenstored) -> Vec<String> {
    let values =
        ["", "4", "a\"b", "x\"   (n0)", "tab\tnl\ncr\r", r"\x41\\...", "\\...", "ä\u{1}\u{7f}"];
    let pairs: Vec<_> = (0..)
        .zip(values)
        .map(|(n, value)| (format!("/local/domain/0/device/vbd/{n}/value"), value))
        .collect();
    store.write_all(&pairs).unwrap();
    let every_byte: String = (0..=255).map(|byte| format!("\\x{byte:02x}")).collect();
    output(store, "xenstore-write", &["/local/domain/0/device/vbd/all", &every_byte]);
    let listing = store.listing().unwrap();
    listing.lines().map(|line| line.split(" = ").next().unwrap().to_owned()).collect()
}

#[test]
fn a_saved_listing_answers_as_the_store_it_was_taken_of() {
    let Some(store) = store() else { return };
    let mut paths = odd_store(&store);
    paths.extend(["/", "/missing", "device", "device/vbd/3/value", "data"].map(String::from));
    let requests: Vec<_> = paths
        .iter()
        .flat_map(|path| [Request::read(path.as_str()), Request::directory(path.as_str())])
        .collect();
    let live = Source::Live(connect(&store)).fetch(&requests, far());
    assert!(live.iter().filter(|result| result.is_ok()).count() >= 40);
    for arguments in [&["-f"][..], &["-f", "-p"]] {
        let saved = output(&store, "xenstore-ls", arguments);
        let listing = Listing::parse(saved.as_bytes(), None).unwrap();
        assert_eq!(Source::Listing(listing).fetch(&requests, far()), live);
    }
}

#[test]
fn a_listing_taken_inside_a_guest_is_its_own_home() {
    let Some(store) = store() else { return };
    odd_store(&store);
    let saved = output(&store, "xenstore-ls", &["-f", "device"]);
    assert!(saved.starts_with("device/"), "{saved}");
    let mut listing = Source::Listing(Listing::parse(saved.as_bytes(), None).unwrap());
    let requests = [Request::directory("device/vbd"), Request::read("device/vbd/1/value")];
    let live = Source::Live(connect(&store)).fetch(&requests, far());
    assert_eq!(listing.fetch(&requests, far()), live);
}

#[test]
fn a_listing_in_the_form_of_a_tree_is_refused_with_advice() {
    let Some(store) = store() else { return };
    odd_store(&store);
    let saved = output(&store, "xenstore-ls", &[]);
    let error = Listing::parse(saved.as_bytes(), None).unwrap_err().to_string();
    assert!(error.contains("line 2") && error.contains("xenstore-ls -f > FILE"), "{error}");
}
