//! The kernel's device, played by a socket that keeps messages apart as the device does.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use super::{after, far, frame};
use crate::xenstore::client::Client;
use crate::xenstore::connect::Link;
use crate::xenstore::wire::{HEADER, Header, Kind};
use crate::xenstore::{Answer, Request, Result};

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

/// What Linux 4.11 and later do: the payload stays in the open file's one buffer until a thread of
/// the kernel has sent it, so whatever is written before the reply overwrites the question.
#[test]
fn nothing_is_written_before_the_reply_to_what_was_written() {
    let (mut client, mut kernel) = device();
    let player = std::thread::spawn(move || {
        for _ in 0..100 {
            let (header, payload) = one_write(&mut kernel);
            std::thread::sleep(Duration::from_micros(200));
            let waiting = rustix::io::ioctl_fionread(&kernel).unwrap();
            assert_eq!(waiting, 0, "the buffer of an unanswered request was overwritten");
            kernel.write_all(&frame(Kind::Read, header.id, &payload)).unwrap();
        }
    });
    let paths: Vec<String> = (0..100).map(|number| format!("device/vbd/{number}")).collect();
    let requests: Vec<Request> = paths.iter().map(|path| Request::read(&**path)).collect();
    for (path, result) in paths.iter().zip(client.call_all(&requests, far())) {
        assert_eq!(result.unwrap(), Answer::Value(format!("{path}\0").as_str().into()));
    }
    player.join().unwrap();
}

#[test]
fn a_request_that_was_given_up_holds_the_next_one_back_until_its_reply() {
    let (mut client, mut kernel) = device();
    assert!(client.read("hung", after(30)).unwrap_err().is_timeout());
    assert!(client.read("held", after(30)).unwrap_err().is_timeout());
    let (hung, _) = one_write(&mut kernel);
    assert_eq!(rustix::io::ioctl_fionread(&kernel).unwrap(), 0);
    kernel.write_all(&frame(Kind::Read, hung.id, b"late")).unwrap();
    let player = std::thread::spawn(move || {
        let (header, _) = one_write(&mut kernel);
        kernel.write_all(&frame(Kind::Read, header.id, b"new")).unwrap();
        kernel
    });
    assert_eq!(client.read("next", far()).unwrap(), "new");
    player.join().unwrap();
}
