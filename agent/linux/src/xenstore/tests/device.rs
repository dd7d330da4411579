//! The kernel's device, played by a socket that keeps messages apart as the device does.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::{far, frame};
use crate::xenstore::client::Client;
use crate::xenstore::connect::Link;
use crate::xenstore::wire::{HEADER, Header, Kind};
use crate::xenstore::{Request, Result};

fn device() -> (Client, UnixStream) {
    let kind = SocketType::SEQPACKET;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
    rustix::io::ioctl_fionbio(&ours, true).unwrap();
    (Client::new(Link::device(ours)), UnixStream::from(theirs))
}

/// What one write(2) of the client brought.
fn one_write(kernel: &mut UnixStream) -> (Header, Vec<u8>) {
    let mut buffer = [0; 8192];
    let count = kernel.read(&mut buffer).unwrap();
    let header = Header::from_bytes(&buffer[..count]).unwrap();
    (header, buffer[HEADER..count].to_vec())
}

#[test]
fn each_write_is_one_whole_message() {
    let (mut client, mut kernel) = device();
    let player = std::thread::spawn(move || {
        for _ in 0..3 {
            let (header, payload) = one_write(&mut kernel);
            assert_eq!(payload.len(), header.length as usize);
            kernel.write_all(&frame(Kind::Read, header.id, &payload)).unwrap();
        }
    });
    let requests = ["a", "b", "c"].map(Request::read);
    let results = client.call_all(&requests, far());
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    player.join().unwrap();
}

#[test]
fn a_full_device_is_tried_again_although_it_never_tells() {
    let (mut client, mut kernel) = device();
    let player = std::thread::spawn(move || {
        let asked: Vec<_> = (0..500).map(|_| one_write(&mut kernel).0.id).collect();
        for id in asked {
            kernel.write_all(&frame(Kind::Read, id, b"1")).unwrap();
        }
    });
    let requests = vec![Request::read("a".repeat(2000)); 500];
    let results = client.call_all(&requests, far());
    assert!(results.iter().all(Result::is_ok));
    player.join().unwrap();
}
