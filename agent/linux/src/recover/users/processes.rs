//! Processes that have files of a volume open, mapped, or as their directory.
//!
//! Reads procfs and follows its links with stat(2), which a sick disk may keep: in a child only.

use rustix::fs::{major, minor};
use xvdguard_logic::recovery::effects::Target;
use xvdguard_logic::text::Text;

use crate::recover::place;
use crate::root::Root;

/// A process that uses the volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: Text,
    /// Its name, which it may choose.
    pub name: Text,
    /// The service of the system that it belongs to, where it belongs to one.
    pub unit: Option<Text>,
}

/// All of them but this one and its parent.
pub fn of(root: &Root, target: &Target) -> Vec<Process> {
    let ours = [std::process::id(), parent()].map(|pid| Text::from(pid.to_string()));
    let names = root.list(b"proc").unwrap_or_default();
    let pids = names.into_iter().filter(|name| name.number().is_some() && !ours.contains(name));
    let users = pids.filter(|pid| uses(root, pid, target));
    users.map(|pid| about(root, pid)).collect()
}

fn parent() -> u32 {
    rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get() as u32)
}

fn file(pid: &Text, name: &[u8]) -> Vec<u8> {
    [b"proc/", pid.as_bytes(), b"/", name].concat()
}

fn about(root: &Root, pid: Text) -> Process {
    let text = |name: &[u8]| root.read_text(&file(&pid, name)).ok().flatten().unwrap_or_default();
    let unit = unit_of_cgroup(text(b"cgroup").as_bytes());
    Process { name: text(b"comm"), unit, pid }
}

fn uses(root: &Root, pid: &Text, target: &Target) -> bool {
    let fixed = [&b"cwd"[..], b"root", b"exe"].map(|name| file(pid, name));
    let open = root.list(&file(pid, b"fd")).unwrap_or_default();
    let open = open.iter().map(|name| file(pid, &[b"fd/", name.as_bytes()].concat()));
    fixed.into_iter().chain(open).any(|link| is_on(root, &link, target)) || maps(root, pid, target)
}

/// By what the link says, and by the device of what it leads to: a process in another mount
/// namespace has other paths, and btrfs other numbers.
fn is_on(root: &Root, link: &[u8], target: &Target) -> bool {
    let named = rustix::fs::readlinkat(root.as_fd(), link, Vec::new());
    let is_named = named.is_ok_and(|path| place::is_below(path.as_bytes(), &target.mount_point));
    is_named
        || root.stat(link).is_ok_and(|stat| {
            (major(stat.st_dev), minor(stat.st_dev)) == (target.device.major, target.device.minor)
        })
}

/// Fields of a line: range, rights, offset, device in hexadecimal, inode, path (proc(5)).
fn maps(root: &Root, pid: &Text, target: &Target) -> bool {
    let device = format!("{:02x}:{:02x}", target.device.major, target.device.minor);
    let maps = root.read(&file(pid, b"maps")).unwrap_or_default();
    maps.split(|byte| *byte == b'\n').any(|line| {
        let mut fields = line.splitn(6, |byte| *byte == b' ');
        let of_device = fields.nth(3) == Some(device.as_bytes());
        let path = fields.nth(1).unwrap_or_default().trim_ascii_start();
        of_device || place::is_below(path, &target.mount_point)
    })
}

/// The service of the system in a path of cgroups: of `0::PATH`, or of the hierarchy that systemd
/// keeps for itself where there are many (systemd.cgroup v1).
fn unit_of_cgroup(text: &[u8]) -> Option<Text> {
    let path = text.split(|byte| *byte == b'\n').find_map(|line| {
        let named = line.windows(14).position(|part| part == b":name=systemd:");
        named.map(|at| &line[at + 14..]).or_else(|| line.strip_prefix(b"0::"))
    })?;
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    // Services of a user are his manager's, and a scope has no way to be started again.
    let is_foreign = parts.iter().any(|part| *part == b"user.slice" || part.ends_with(b".scope"));
    let unit = parts.iter().find(|part| part.ends_with(b".service"))?;
    (!is_foreign).then(|| Text::from(*unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_belongs_to_a_service_of_the_system_or_to_none() {
        for (text, expected) in [
            ("0::/system.slice/mysql.service", Some("mysql.service")),
            ("0::/system.slice/system-pg.slice/pg@13-main.service/x", Some("pg@13-main.service")),
            ("4:cpu:/\n1:name=systemd:/system.slice/cron.service\n0::/x", Some("cron.service")),
            ("0::/user.slice/user-0.slice/session-3.scope", None),
            ("0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", None),
            ("0::/system.slice/docker-0123.scope", None),
            ("0::/", None),
            ("", None),
        ] {
            assert_eq!(unit_of_cgroup(text.as_bytes()), expected.map(Text::from), "{text}");
        }
    }
}
