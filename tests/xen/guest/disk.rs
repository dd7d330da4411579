//! One disk of the guest: mounted as its role says, written to, unmounted, and what was seen.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use harness::failure::{Failure, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use serde_json::{Map, Value, json};

use super::machine;
use crate::order::disk_name;
use crate::scenario::WRITES;

/// What a disk is for, as an argument of the guest says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Mounted read-only, then read-write, with the options that xvdguard leaves for a root.
    Root,
    /// Mounted read-write.
    Data,
    /// Mounted read-only and left so.
    Read,
}

/// A disk and what was seen of it.
#[derive(Debug)]
pub struct Disk {
    name: String,
    role: Role,
    seen: Map<String, Value>,
}

impl Disk {
    /// The disk in this place; what is not `root`, `data` or `read` is none.
    pub fn placed((place, role): (usize, &str)) -> Option<Disk> {
        let role = match role {
            "root" => Role::Root,
            "data" => Role::Data,
            "read" => Role::Read,
            _ => return None,
        };
        let name = disk_name(place);
        let seen = Map::from_iter([("name".to_owned(), json!(name))]);
        Some(Disk { name, role, seen })
    }

    /// Its device node.
    pub fn node(&self) -> PathBuf {
        PathBuf::from(format!("/dev/{}", self.name))
    }

    /// What was seen, as JSON.
    pub fn seen(&self) -> Value {
        Value::Object(self.seen.clone())
    }

    /// Counts what was flushed before anything was mounted.
    pub fn note_flushes(&mut self) -> Result<()> {
        let flushes = self.flushes()?;
        self.note("flushes_before_mount", json!(flushes));
        Ok(())
    }

    /// Mounts it, writes to it and unmounts it; whatever fails is noted and ends it.
    pub fn play(&mut self, options: &str) {
        let mount_point = PathBuf::from(format!("/{}", self.name));
        let options = if self.role == Role::Root { options } else { "" };
        let mounted = self.mount(&mount_point, options);
        self.note("mount", told(&mounted));
        if mounted.is_err() {
            return;
        }
        if self.role != Role::Read {
            self.write(&mount_point);
        }
        for (name, path) in [
            ("errors_count", format!("/sys/fs/ext4/{}/errors_count", self.name)),
            ("write_cache", format!("/sys/block/{}/queue/write_cache", self.name)),
        ] {
            let value = machine::read(path).map_or(Value::Null, Value::from);
            self.note(name, value);
        }
        self.note("mountinfo", json!(self.mountinfo()));
        let unmounted = unmount(&mount_point, UnmountFlags::empty()).map_err(io::Error::from);
        self.note("unmount", told(&unmounted));
        let flushes = self.flushes().map_or(Value::Null, Value::from);
        self.note("flushes", flushes);
    }

    fn mount(&self, mount_point: &PathBuf, options: &str) -> io::Result<()> {
        fs::create_dir_all(mount_point)?;
        let options = std::ffi::CString::new(options)?;
        let flags = match self.role {
            Role::Root | Role::Read => MountFlags::RDONLY,
            Role::Data => MountFlags::empty(),
        };
        mount(self.node(), mount_point, "ext3", flags, options.as_c_str())?;
        if self.role == Role::Root {
            mount_remount(mount_point, MountFlags::empty(), c"")?;
        }
        Ok(())
    }

    /// Small synced writes until one fails; then whether a new file can still be made.
    fn write(&mut self, mount_point: &std::path::Path) {
        let mut written = 0;
        let mut first_error = String::new();
        while written < WRITES && first_error.is_empty() {
            match write_one(mount_point.join(format!("file-{written}"))) {
                Ok(()) => written += 1,
                Err(error) => first_error = error.to_string(),
            }
        }
        self.note("written", json!(written));
        self.note("first_error", json!(first_error));
        self.note("new_file", told(&write_one(mount_point.join("new-file"))));
    }

    /// Flush requests that this kernel has completed: the 16th field of
    /// Documentation/block/stat.rst.
    fn flushes(&self) -> Result<u64> {
        let stat = machine::read(format!("/sys/block/{}/stat", self.name))?;
        let field = stat.split_whitespace().nth(15).and_then(|field| field.parse().ok());
        field.ok_or_else(|| Failure::new(format!("{}: stat counts no flushes: {stat}", self.name)))
    }

    fn mountinfo(&self) -> String {
        let mountinfo = machine::read("/proc/self/mountinfo").unwrap_or_default();
        let node = self.node().display().to_string();
        let line = mountinfo.lines().find(|line| line.split(' ').any(|word| word == node));
        line.unwrap_or_default().to_owned()
    }

    fn note(&mut self, what: &str, value: Value) {
        self.seen.insert(what.to_owned(), value);
    }
}

/// A new file with a few bytes, on the disk when this returns.
pub fn write_one(path: PathBuf) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    file.write_all(b"a small write\n")?;
    file.sync_all()
}

/// `ok`, or the error.
fn told<T>(done: &io::Result<T>) -> Value {
    done.as_ref().map_or_else(|error| json!(error.to_string()), |_| json!("ok"))
}
