//! What a client refuses to send, and what it makes of a server's refusal.

use super::{Server, far};
use crate::xenstore::request::Answer;
use crate::xenstore::wire::Kind;
use crate::xenstore::{Cause, MAX_NODES, MAX_WATCHES, Request};

#[test]
fn the_ninth_watch_and_the_seventeenth_node_are_not_sent() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        let mut count = 0;
        while let Some(asked) = server.asked() {
            server.done(&asked, b"OK\0");
            count += 1;
        }
        count
    });
    let nodes = (0..=MAX_NODES).map(|n| Request::Mkdir(format!("data/xvdguard/{n}").into()));
    let watches = (0..=MAX_WATCHES)
        .map(|n| Request::Watch { path: "device/vbd".into(), token: n.to_string().into() });
    let results = client.call_all(&nodes.chain(watches).collect::<Vec<_>>(), far());
    let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
    assert_eq!(
        refused.iter().map(|error| error.cause().to_string()).collect::<Vec<_>>(),
        [
            "not sent: 16 nodes are in use, our whole share",
            "not sent: 8 watches are in use, our whole share",
        ]
    );
    assert!(refused.iter().all(crate::xenstore::Error::is_quota));
    client.unwatch("device/vbd", "0", far()).unwrap();
    client.watch("device/vbd", "another", far()).unwrap();
    drop(client);
    assert_eq!(player.join().unwrap(), MAX_NODES + MAX_WATCHES + 2);
}

#[test]
fn a_request_that_no_server_takes_is_not_sent() {
    let (mut client, mut server) = Server::new();
    let requests = [
        Request::read("a b"),
        Request::Write("data/a".into(), vec![b'x'; 4096].into()),
        Request::Watch { path: "a".into(), token: "to\0ken".into() },
    ];
    for result in client.call_all(&requests, far()) {
        assert!(matches!(result, Err(error) if matches!(error.cause(), Cause::Limit(_))));
    }
    assert_eq!((client.round_trips(), client.requests()), (0, 0));
    drop(client);
    assert!(server.asked().is_none());
}

#[test]
fn a_refusal_keeps_the_name_that_the_server_gave_it() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        for name in ["ENOENT", "EACCES", "ENOSPC", "EEXIST"] {
            let asked = server.next();
            server.refuse(&asked, name);
        }
    });
    let error = client.read("device/vbd/51712/backend", far()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read device/vbd/51712/backend in xenstore: ENOENT");
    assert!(error.is_missing());
    assert!(client.directory("/", far()).unwrap_err().is_permission());
    assert!(client.write("data/a", "1", far()).unwrap_err().is_quota());
    client.watch("data", "asked before", far()).unwrap();
    player.join().unwrap();
}

#[test]
fn a_long_listing_is_fetched_in_parts_within_a_wave() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        let (long, read) = (server.next(), server.next());
        server.refuse(&long, "E2BIG");
        server.done(&read, b"1");
        for reply in [&b"7\0a\0"[..], b"8\0b\0\0", b"8\0a\0", b"8\0b\0\0"] {
            let part = server.next();
            assert_eq!(part.kind, Kind::DirectoryPart);
            server.done(&part, reply);
        }
    });
    let results = client.call_all(&[Request::directory("long"), Request::read("b")], far());
    assert_eq!(results[0], Ok(Answer::Names(vec!["a".into(), "b".into()])));
    assert_eq!(results[1], Ok(Answer::Value("1".into())));
    assert_eq!(client.round_trips(), 5);
    player.join().unwrap();
}

#[test]
fn a_listing_that_keeps_changing_is_given_up() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        let mut parts = 0;
        while let Some(asked) = server.asked() {
            match asked.kind {
                Kind::Directory => server.refuse(&asked, "E2BIG"),
                _ => server.done(&asked, format!("{parts}\0a\0").as_bytes()),
            }
            parts += 1;
        }
    });
    let error = client.directory("long", far()).unwrap_err();
    assert!(error.to_string().ends_with("it changed 5 times while it was listed"), "{error}");
    drop(client);
    player.join().unwrap();
}

#[test]
fn a_watch_that_is_there_is_not_asked_for_again() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        while let Some(asked) = server.asked() {
            server.done(&asked, b"OK\0");
        }
    });
    let watch = || Request::Watch { path: "device/vbd".into(), token: "vbd".into() };
    for expected in [1, 1] {
        assert_eq!(client.call(&watch(), far()), Ok(Answer::Done));
        assert_eq!(client.requests(), expected);
    }
    client.unwatch("device/vbd", "vbd", far()).unwrap();
    assert_eq!(client.call(&watch(), far()), Ok(Answer::Done));
    assert_eq!(client.requests(), 3);
    drop(client);
    player.join().unwrap();
}
