//! The kernel's device, played by a socket that keeps messages apart as the device does.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use xvdguard_logic::text::Text;

use super::{after, far, frame};
use crate::xenstore::client::Client;
use crate::xenstore::connect::Link;
use crate::xenstore::lanes::Lanes;
use crate::xenstore::wire::{HEADER, Header, Kind};
use crate::xenstore::{Answer, Request, Result};

fn device() -> (Client, UnixStream) {
    let (link, kernel) = open_file();
    (Client::new(link), kernel)
}

fn open_file() -> (Link, UnixStream) {
    let kind = SocketType::SEQPACKET;
    let (ours, theirs) = socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
    rustix::io::ioctl_fionbio(&ours, true).unwrap();
    (Link::device(ours), UnixStream::from(theirs))
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

#[test]
fn reads_go_side_by_side_over_several_open_files() {
    let ((one, mut first), (two, mut second)) = (open_file(), open_file());
    let mut client = Client::over(Lanes::of([one, two].into_iter()));
    let player = std::thread::spawn(move || {
        for _ in 0..3 {
            // Neither is answered before both have asked.
            let asked = [one_write(&mut first), one_write(&mut second)];
            for (file, (header, payload)) in [&mut first, &mut second].into_iter().zip(asked) {
                file.write_all(&frame(Kind::Read, header.id, &payload)).unwrap();
            }
        }
    });
    let paths = ["a", "b", "c", "d", "e", "f"];
    let results = client.call_all(&paths.map(Request::read), far());
    for (path, result) in paths.into_iter().zip(results) {
        assert_eq!(result.unwrap(), Answer::Value(format!("{path}\0").as_str().into()));
    }
    assert_eq!((client.round_trips(), client.requests()), (1, 6));
    player.join().unwrap();
}

#[test]
fn what_changes_something_keeps_its_order_on_the_first_file() {
    let ((one, mut first), (two, second)) = (open_file(), open_file());
    let mut client = Client::over(Lanes::of([one, two].into_iter()));
    let player = std::thread::spawn(move || {
        let kinds = [Kind::Write, Kind::Read, Kind::Rm];
        for kind in kinds {
            let (header, _) = one_write(&mut first);
            assert_eq!(header.kind, kind as u32);
            first.write_all(&frame(kind, header.id, b"OK\0")).unwrap();
        }
        assert_eq!(rustix::io::ioctl_fionread(&second).unwrap(), 0);
    });
    let data = Text::from("data/x");
    let requests =
        [Request::Write(data.clone(), "1".into()), Request::Read(data.clone()), Request::Rm(data)];
    assert!(client.call_all(&requests, far()).iter().all(Result::is_ok));
    player.join().unwrap();
}
