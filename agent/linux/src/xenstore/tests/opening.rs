//! What is opened as a xenstore, and what is not.

use std::os::unix::net::UnixListener;
use std::time::Instant;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use super::{after, far};
use crate::xenstore::Client;

#[test]
fn a_plain_file_is_refused_and_not_written() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "device/vbd = \"\"\n").unwrap();
    let error = Client::connect_to(file.path(), far()).unwrap_err();
    assert!(error.to_string().contains("neither the socket of xenstored nor"), "{error}");
    assert_eq!(std::fs::read(file.path()).unwrap(), b"device/vbd = \"\"\n");
}

#[test]
fn a_missing_path_and_a_directory_are_errors() {
    let directory = tempfile::tempdir().unwrap();
    let missing = Client::connect_to(&directory.path().join("socket"), far()).unwrap_err();
    assert_eq!(missing.errno(), Some(rustix::io::Errno::NOENT));
    assert!(Client::connect_to(directory.path(), far()).is_err());
}

#[test]
fn a_socket_that_nobody_serves_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    drop(UnixListener::bind(&path).unwrap());
    let error = Client::connect_to(&path, far()).unwrap_err();
    assert_eq!(error.errno(), Some(rustix::io::Errno::CONNREFUSED));
}

#[test]
fn a_socket_whose_queue_is_full_is_given_up_at_the_deadline() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let server = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None).unwrap();
    rustix::net::bind(&server, &SocketAddrUnix::new(&path).unwrap()).unwrap();
    rustix::net::listen(&server, 0).unwrap();
    let _first = Client::connect_to(&path, far()).unwrap();
    let deadline = after(30);
    let error = Client::connect_to(&path, deadline).unwrap_err();
    assert!(Instant::now() >= deadline);
    assert!(error.to_string().contains("no answer within"), "{error}");
}
