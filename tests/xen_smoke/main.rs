//! The short part of `make xen` and `make xen-recovery`, on one kernel: a real Xen in QEMU, guests
//! without xvdguard and with it. Minutes, and hundreds of megabytes from Debian's archive the first
//! time; what was built stays below target/xen. A bed that fails for a reason of its own fails the
//! test and says so. Nothing stays mounted or running.

#[cfg(test)]
mod weather;

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use harness::helper::Helper;
use harness::requires;

/// What must have passed; the kernel is one that aborts journals.
const PASSED: [&str; 4] = ["healthy", "flush-error", "barrier-refused-lvm", "recovery-killed"];

/// One run at a time holds target/xen.
fn one_run() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_guest_is_protected_and_its_root_brought_back_on_a_real_xen() {
    let (Some(_), Some(_)) = (requires::root(), requires::program("apt-get")) else { return };
    let _alone = one_run();
    let mut xen = Command::new(env!("CARGO_BIN_EXE_xen"));
    xen.env("SCENARIO", "smoke").env_remove("KERNEL").stdout(Stdio::piped());
    // Dropped with this test, however that ends, and QEMU with it.
    let mut xen = Helper::start(xen).unwrap();
    let mut said = String::new();
    xen.take_output().unwrap().read_to_string(&mut said).unwrap();
    println!("{said}");
    for name in PASSED {
        let passed = format!("xen: {name} on 6.1: pass\n");
        assert!(said.contains(&passed), "{name} did not pass on a real Xen:\n{said}");
    }
}
