//! What dom0 is told to do for a guest, as shell scripts that only start programs. Each begins with
//! a line that says what it is for, which an error repeats. Pure: values in, text out.

use std::fmt::Write;
use std::ops::Range;

use crate::broken::INIT;
use crate::guest::{
    BROKEN_IMAGE, CONSOLE, DISKS, GUARDED, IMAGE_OF_ITS_OWN, OWN_ROOT, POLICY, SERVED,
};
use crate::order::{Guard, Order, Placed, System, disk_name};
use crate::scenario::{Advertised, Storage};

/// A host that lets a guest reboot gives it the id that it had.
const UUID: &str = "62656400-0000-4000-8000-000000000001";

impl Order<'_> {
    fn each(&self, line: impl Fn(usize, &Placed) -> String) -> String {
        self.each_of(self.all(), line)
    }

    fn each_of(&self, places: Range<usize>, line: impl Fn(usize, &Placed) -> String) -> String {
        places.map(|place| line(place, &self.disks[place]) + "\n").collect()
    }

    /// The places of all disks.
    pub fn all(&self) -> Range<usize> {
        0..self.disks.len()
    }

    /// Fresh disks with the faults of the scenario; what a story has made is left as it is.
    pub fn prepare_script(&self) -> String {
        let is_made =
            |disk: &Placed| matches!(disk.host.storage, Storage::Made(_) | Storage::Blank);
        if self.disks.iter().all(is_made) {
            return format!("# begin with an empty console\nrm -f {CONSOLE}");
        }
        let over = self.disks.iter().filter_map(|disk| match disk.host.storage {
            Storage::Over(device) | Storage::OverMapped(device) => Some(device),
            _ => None,
        });
        let over = over.collect::<Vec<_>>().join(",");
        let over = if over.is_empty() { over } else { format!("over={over}") };
        let (count, disks) = (self.disks.len(), self.each(fresh));
        format!(
            "# make fresh disks\nset -e\nrm -f {CONSOLE}\nrmmod sick_disk 2>/dev/null || true\n\
             insmod /modules/sick_disk.ko disks={count} {over}\n{disks}"
        )
    }

    /// Lets xl create it, and not wait for its end.
    pub fn create_script(&self) -> String {
        let mut disks = String::new();
        for place in self.all() {
            let _ = write!(disks, "'{}',", self.disk(place));
        }
        let (image, words) = (self.image(), self.words());
        let kind = if self.kernel.is_pvh { "pvh" } else { "pv" };
        // blkfront keeps more than 4 MiB of pages for each disk (fill_grant_buffer).
        let memory = 384 + 5 * self.disks.len().saturating_sub(16);
        format!(
            "# create the guest\ncat >/run/bed.cfg <<'END'\n\
             name='bed'\nuuid='{UUID}'\ntype='{kind}'\nmemory={memory}\nvcpus=1\n{image}\
             extra='console=hvc0 panic=-1 loglevel=1 {words}'\n\
             on_poweroff='preserve'\non_reboot='preserve'\non_crash='preserve'\n\
             disk=[{disks}]\nEND\nxl create -e /run/bed.cfg\n"
        )
    }

    /// A disk as xl's configuration names it (xl-disk-configuration(5)).
    fn disk(&self, place: usize) -> String {
        let disk = &self.disks[place];
        let (name, node) = (disk_name(place), node(place, disk));
        let access = if disk.host.is_writable { "rw" } else { "ro" };
        format!("format=raw,vdev={name},access={access},script=block-held,target={node}")
    }

    /// Takes a disk away that nothing in the guest uses.
    pub fn detach_script(&self, domain: &str, place: usize) -> String {
        let (name, id) = (disk_name(place), vbd(place));
        format!(
            "# take {name} away\nset -e\nxl block-detach {domain} {name}\n\
             while [ -e /sys/bus/xen-backend/devices/vbd-{domain}-{id} ]; do sleep 0.1; done"
        )
    }

    /// Plugs it in again, as far as its frontend.
    pub fn attach_script(&self, domain: &str, place: usize) -> String {
        let disk = self.disk(place);
        format!("# plug in {}\nxl block-attach {domain} '{disk}'", disk_name(place))
    }

    /// Says that a disk has grown, as blkback does for a device that has (xen_vbd_resize).
    pub fn grow_script(&self, domain: &str, place: usize) -> String {
        let (name, id) = (disk_name(place), vbd(place));
        format!(
            "# {name} grows\nset -e\nvbd=/local/domain/0/backend/vbd/{domain}/{id}\n\
             xenstore-write $vbd/sectors $(($(xenstore-read $vbd/sectors) + 8))\n\
             xenstore-write $vbd/state 4"
        )
    }

    fn image(&self) -> String {
        let (folder, initrd) = match self.system {
            System::Report | System::Tiny | System::OwnRoot => {
                (self.kernel.name.as_str(), "initrd")
            }
            System::Debian | System::DebianWithoutFlush => ("debian", "initrd"),
            System::DebianWithoutHook => ("debian", "initrd-plain"),
            System::DebianItself => ("debian", IMAGE_OF_ITS_OWN),
            System::Broken => ("debian", BROKEN_IMAGE),
        };
        let is_whole = initrd.starts_with('/');
        let initrd = if is_whole { initrd.into() } else { format!("/bed/{folder}/{initrd}") };
        format!("kernel='/bed/{folder}/vmlinux'\nramdisk='{initrd}'\n")
    }

    /// The kernel command line. Debian's xvdguard is there and must be told to keep still.
    fn words(&self) -> String {
        let own = match self.system {
            System::Broken => {
                return format!("{} init={INIT}", self.guard.map_or("", |guard| guard.words));
            }
            System::Report | System::Tiny | System::OwnRoot => None,
            System::Debian | System::DebianWithoutHook | System::DebianItself => Some(""),
            System::DebianWithoutFlush => Some("fsck.mode=skip systemd.gpt_auto=0 "),
        };
        if let Some(own) = own {
            let words = self.guard.map_or("xvdguard=off", |guard| guard.words);
            return format!("root=/dev/xvda ro systemd.show_status=0 {own}{words}");
        }
        let (words, mut arguments) = match self.guard {
            None => ("", "unguarded".to_owned()),
            Some(Guard { words, policy: "" }) => (words, GUARDED.to_owned()),
            Some(Guard { words, policy }) => (words, format!("{GUARDED} {POLICY}{policy}")),
        };
        let roles: Vec<&str> = self.disks.iter().map(|disk| disk.role).collect();
        let _ = write!(arguments, " {DISKS}{}", roles.join(","));
        match self.system {
            System::Tiny => arguments.push_str(&format!(" {SERVED}")),
            System::OwnRoot => arguments.push_str(&format!(" {SERVED} {OWN_ROOT}")),
            _ => {}
        }
        format!("{words} -- {arguments}")
    }

    /// Waits until each frontend is ready, since a backend that connects earlier would connect
    /// before the pause. Prints the guest's console where that never comes.
    pub fn frontends_script(&self, domain: &str, places: Range<usize>) -> String {
        let count = places.len();
        let states: String = places
            .map(|place| format!(" /local/domain/{domain}/device/vbd/{}/state", vbd(place)))
            .collect();
        format!(
            "# wait for the frontends\nfor look in $(seq 600); do\n\
             [ \"$(xenstore-read{states} 2>/dev/null | grep -c '^3$')\" = {count} ] && exit\n\
             sleep 0.2; done\ntail -n 3 {CONSOLE}; exit 1\n"
        )
    }

    /// Pauses the guest, connects these disks, makes the keys what is wanted, and lets it go on.
    pub fn connect_script(&self, domain: &str, places: Range<usize>) -> String {
        let backends = format!("/local/domain/0/backend/vbd/{domain}");
        let connect = self.each_of(places.clone(), |place, disk| {
            let (backend, node) = (format!("{backends}/{}", vbd(place)), node(place, disk));
            format!(
                "xenstore-write {backend}/physical-device \"$(stat -L -c %t:%T {node})\" \
                 {backend}/hotplug-status connected"
            )
        });
        let wait = self.each_of(places.clone(), |place, _| {
            format!(
                "until [ \"$(xenstore-read {backends}/{}/state)\" = 4 ]; do sleep 0.1; done",
                vbd(place)
            )
        });
        let keys = self.each_of(places, |place, disk| {
            let backend = format!("{backends}/{}", vbd(place));
            let gone: &[&str] = match disk.host.advertises {
                Advertised::FlushAndBarrier | Advertised::Zero => return String::new(),
                Advertised::OnlyFlush => &["feature-barrier"],
                Advertised::OnlyBarrier => &["feature-flush-cache"],
                Advertised::Nothing => &["feature-flush-cache", "feature-barrier"],
            };
            gone.iter().map(|key| format!("xenstore-rm {backend}/{key}\n")).collect()
        });
        format!(
            "# connect the disks\nset -e\nxl pause {domain}\n\
             {connect}{wait}{keys}xl unpause {domain}\n"
        )
    }

    /// Counters first; the file systems only when the guest and its backends are gone.
    pub fn count_script(&self, domain: &str) -> String {
        let count = self.each(|place, _| format!("cat /sys/block/sick{place}/flushes"));
        let check = self.each(|place, disk| {
            let unmap = match disk.host.storage {
                Storage::Plain | Storage::Made(_) | Storage::Over(_) | Storage::Blank => {
                    String::new()
                }
                Storage::DeviceMapper | Storage::OverMapped(_) => {
                    format!("dmsetup remove disk{place} >/dev/null; ")
                }
            };
            format!("{unmap}e2fsck -fn /dev/sick{place} >/dev/null 2>&1; echo $?")
        });
        format!(
            "# count flushes and check file systems\n{count}xl destroy {domain} >/dev/null 2>&1\n\
             while ls -d /sys/bus/xen-backend/devices/vbd-{domain}-* >/dev/null 2>&1\n\
             do sleep 0.1; done\n\
             {check}"
        )
    }
}

/// Makes one disk. Copying ends in a flush, which must work.
fn fresh(place: usize, disk: &Placed) -> String {
    let sick = format!("/sys/block/sick{place}");
    let has_cache = disk.host.advertises != Advertised::Zero;
    let cache = if has_cache { "write back" } else { "write through" };
    let answer = disk.host.flushes.word();
    let copied = match disk.host.storage {
        Storage::Made(_) | Storage::Blank => return String::new(),
        Storage::Over(_) | Storage::OverMapped(_) => String::new(),
        Storage::Plain | Storage::DeviceMapper => format!(
            "echo ok >{sick}/flush\ndd if=/bed/disk.ext3 of=/dev/sick{place} bs=1M conv=fsync\n"
        ),
    };
    let mapped = match disk.host.storage {
        Storage::DeviceMapper | Storage::OverMapped(_) => format!(
            "size=$(blockdev --getsz /dev/sick{place})\ndmsetup create disk{place} --noudevsync \
             --table \"0 $size linear /dev/sick{place} 0\"\ndmsetup mknodes\n"
        ),
        _ => String::new(),
    };
    format!("{copied}echo '{cache}' >{sick}/queue/write_cache\n{mapped}echo {answer} >{sick}/flush")
}

/// What blkback serves in this place.
fn node(place: usize, disk: &Placed) -> String {
    match disk.host.storage {
        Storage::Plain | Storage::Over(_) | Storage::Blank => format!("/dev/sick{place}"),
        Storage::DeviceMapper | Storage::OverMapped(_) => format!("/dev/mapper/disk{place}"),
        Storage::Made(node) => node.to_owned(),
    }
}

/// The vbd number of the disk in this place (docs/man/xen-vbd-interface.7.pandoc.in of Xen).
fn vbd(place: usize) -> usize {
    if place < 16 { (202 << 8) | (place << 4) } else { (1 << 28) | (place << 8) }
}
