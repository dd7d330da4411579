//! What the daemon would see of the guest at this moment, as its kernel shows it.

use xvdguard_logic::block::DeviceNumber;
use xvdguard_logic::disk::{BlockDisk, Disk};
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::mountinfo::Mount;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::recovery::world::{DiskSeen, Domain, Guard, Init, Release, VolumeSeen, World};
use xvdguard_logic::text::Text;
use xvdguard_logic::vbd::Vbd;
use xvdguard_logic::vbd::keys::Keys;
use xvdguard_logic::volume::Volume;
use xvdguard_logic::xen::XenMode;

use crate::disk;
use crate::machine::{self, Machine};
use crate::script::{Backend, Script};

/// The number of a volume's device.
pub fn device(index: usize) -> DeviceNumber {
    DeviceNumber { major: 202, minor: 16 * index as u32 }
}

/// The volume of that device.
pub fn index(device: DeviceNumber) -> usize {
    device.minor as usize / 16
}

/// Everything but the effects: those are the loop's.
pub fn world(machine: &mut Machine, script: &Script) -> World {
    let mounted: Vec<usize> = (0..machine.volumes.len())
        .filter(|index| machine.volumes[*index].mount.is_some())
        .collect();
    let mut releases: Vec<Release> =
        machine.seen_to.drain(..).map(|point| Release::Volume(Text::from(point))).collect();
    if std::mem::take(&mut machine.hold_released) {
        releases.push(Release::Hold);
    }
    let moving = |disk: &&mut disk::Disk| disk.is_loaded && disk.backend != Backend::Stalled;
    machine.disks.iter_mut().filter(moving).for_each(|disk| disk.completed += 1000);
    World {
        seen: observation(machine, &mounted),
        volumes: mounted.iter().map(|index| volume_seen(machine, *index)).collect(),
        disks: machine.disks.iter().filter(is_there).map(disk_seen).collect(),
        signs: machine.signs.clone(),
        wall_s: machine.wall_s(),
        slept_ms: 0,
        domain: Domain {
            id: Some(machine.domain),
            uuid: Some(Text::from("guest")),
            machine_id: Some(Text::from("machine")),
        },
        init: Init::Systemd,
        hold: machine.hold.clone(),
        releases,
        guard: Guard {
            records: machine.records.clone(),
            is_lasting: script.guard.is_lasting,
            oddity: None,
        },
        chance: machine.random.next_u64(),
        ..World::default()
    }
}

fn observation(machine: &Machine, mounted: &[usize]) -> Observation {
    let mut mounts = vec![mount(1, DeviceNumber { major: 0, minor: 5 }, "/proc", "proc")];
    for index in mounted {
        let volume = &machine.volumes[*index];
        mounts.push(mount_of(machine.kernel, *index, volume));
        if volume.plan.has_mount_below {
            let point = format!("{}/below", volume.plan.mount_point);
            mounts.push(mount(2, DeviceNumber { major: 0, minor: 6 }, &point, "tmpfs"));
        }
    }
    Observation {
        boot_ms: machine.boot_ms(),
        boot_id: Some(Text::from(format!("boot-{}", machine.boot))),
        xen: XenMode::Pv,
        kernel: Some(machine.kernel),
        disks: disks(machine),
        mounts,
        volumes: mounted.iter().map(|index| volume(*index, &machine.volumes[*index])).collect(),
        log: machine.log.clone(),
        ..Observation::default()
    }
}

fn mount(id: u32, device: DeviceNumber, point: &str, fstype: &str) -> Mount {
    Mount {
        id,
        device,
        root: Text::from("/"),
        mount_point: Text::from(point),
        options: Text::from("rw,relatime"),
        fstype: Text::from(fstype),
        source: Text::from(fstype),
        super_options: Text::from("rw"),
    }
}

/// A dead file system as each kernel shows it (facts measured on these four).
fn mount_of(kernel: KernelVersion, index: usize, volume: &machine::Volume) -> Mount {
    let id = volume.mount.unwrap() as u32;
    let mut mount = mount(id, device(index), volume.plan.mount_point, volume.plan.fstype);
    let is_ext = volume.plan.fstype.starts_with("ext");
    let is_old = kernel < KernelVersion::new(5, 15, 0);
    let is_new = kernel >= KernelVersion::new(6, 15, 0);
    if volume.plan.read_only {
        mount.options = Text::from("ro,relatime");
        mount.super_options = Text::from("ro");
    } else if !volume.is_alive && (volume.plan.fstype == "btrfs" || (is_ext && is_old)) {
        mount.super_options = Text::from("ro");
    } else if !volume.is_alive && is_ext && is_new {
        mount.super_options = Text::from("rw,errors=remount-ro,emergency_ro");
    }
    mount
}

fn volume(index: usize, volume: &machine::Volume) -> Volume {
    Volume {
        mount_point: Text::from(volume.plan.mount_point),
        fstype: Text::from(volume.plan.fstype),
        device: device(index),
        device_name: Text::from(volume.plan.disk),
        disks: vec![Text::from(volume.plan.disk)],
    }
}

fn volume_seen(machine: &Machine, index: usize) -> VolumeSeen {
    let volume = &machine.volumes[index];
    let counts = volume.plan.fstype.starts_with("ext") || volume.plan.fstype == "btrfs";
    VolumeSeen {
        device: device(index),
        errors: counts.then_some(volume.errors),
        error_events: volume.events,
        burdens: volume.plan.burdens.clone(),
        holds_core_files: volume.plan.holds_core_files,
    }
}

fn disk_seen(disk: &disk::Disk) -> DiskSeen {
    DiskSeen {
        name: Text::from(disk.name),
        sectors: 16384,
        read_only: disk.backend == Backend::ReadOnly,
        in_flight: disk.in_flight + 32 * u64::from(disk.is_loaded),
        completed: disk.completed,
        written: disk.written,
    }
}

fn is_there(disk: &&disk::Disk) -> bool {
    disk.backend != Backend::Gone
}

fn disks(machine: &Machine) -> Vec<Disk> {
    let disks = machine.disks.iter().enumerate().filter(|(_, one)| is_there(one));
    disks.map(|(index, one)| disk(machine.kernel, index, one)).collect()
}

fn disk(kernel: KernelVersion, index: usize, disk: &disk::Disk) -> Disk {
    let key = if disk.key_is_zero { "0" } else { "1" };
    let backend: &[(&str, &str)] = if disk.offers_flush {
        &[("mode", "w"), ("feature-flush-cache", key)]
    } else {
        &[("mode", "w")]
    };
    let channel = disk.connection.to_string();
    let vbd = Vbd {
        id: 51712 + 16 * index as u32,
        backend_path: Some(Text::from(format!("/local/domain/0/{}/{index}", disk.connection))),
        frontend: Keys::from(&[("state", "4"), ("event-channel", channel.as_str())][..]),
        backend: Keys::from(backend),
        is_unread: false,
    };
    let cache = if disk.write_back { "write back" } else { "write through" };
    // /sys/block/*/queue/write_cache came with 4.7.
    let has_cache = kernel >= KernelVersion::new(4, 7, 0);
    let queue = has_cache.then(|| ("write_cache".into(), Text::from(cache)));
    let device = BlockDisk {
        number: device(index),
        is_blkfront: true,
        sectors: 16384,
        queue: queue.into_iter().collect(),
        ..BlockDisk::default()
    };
    Disk { name: Text::from(disk.name), vbd: Some(vbd), device: Some(device) }
}
