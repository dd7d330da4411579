//! What puts xvdguard into an image: dracut's module and mkinitcpio's install script, run by bash
//! with the functions of their maker recorded (dracut 059 `dracut-init.sh`, mkinitcpio 39
//! `functions`).

use std::fs;
use std::process::Command;
use std::time::Duration;

use harness::programs;
use harness::requires;
use harness::scratch::Scratch;

const LIMIT: Duration = Duration::from_secs(30);

/// Runs a script with these variables and returns its code and what it printed. Nothing goes wrong
/// in it unseen.
fn bash(script: &str, variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new("bash");
    command.args(["-c", script]).env_clear().env("PATH", "/usr/bin:/bin");
    command.envs(variables.iter().copied());
    let ran = programs::run(command, LIMIT).unwrap();
    assert_eq!(ran.err(), "", "{variables:?}");
    (ran.code, ran.out())
}

/// What dracut makes of the module: 0 takes it along, 1 not, 255 where somebody asks for it.
fn check(sysroot: &str, variables: &[(&str, &str)]) -> Option<i32> {
    let module = concat!(env!("CARGO_MANIFEST_DIR"), "/../initramfs/dracut/module-setup.sh");
    let variables = [variables, &[("dracutsysrootdir", sysroot)]].concat();
    bash(&format!(". {module}; check"), &variables).0
}

#[test]
fn dracut_takes_it_along_where_it_may_be_of_use() {
    let Some(_) = requires::program("bash") else { return };
    let scratch = Scratch::new("dracut").unwrap();
    let sysroot = scratch.path().to_str().unwrap();
    assert_eq!(check(sysroot, &[]), Some(1), "there is no program");
    let program = scratch.path().join("usr/lib/xvdguard/xvdguard-early");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy("/bin/true", &program).unwrap();
    assert_eq!(check(sysroot, &[]), Some(0));
    assert_eq!(check(sysroot, &[("dracutmodules", "auto"), ("hostonly", "")]), Some(0));
    let is_guest = fs::exists("/sys/bus/xen").unwrap();
    let expected = if is_guest { 0 } else { 255 };
    assert_eq!(check(sysroot, &[("hostonly", "yes")]), Some(expected), "an image for this machine");
}

/// `mkdumprd` of Enterprise Linux and Fedora: dracut --add kdump, later kdumpbase.
#[test]
fn dracut_leaves_it_out_of_an_image_that_saves_a_crash() {
    let Some(_) = requires::program("bash") else { return };
    let scratch = Scratch::new("dracut").unwrap();
    let program = scratch.path().join("usr/lib/xvdguard/xvdguard-early");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::copy("/bin/true", &program).unwrap();
    for (variable, value) in [
        ("add_dracutmodules", " kdump "),
        ("add_dracutmodules", " lvm kdumpbase"),
        ("force_add_dracutmodules", "kdump"),
        ("dracutmodules", "base kdump"),
    ] {
        let code = check(scratch.path().to_str().unwrap(), &[(variable, value)]);
        assert_eq!(code, Some(255), "{variable}={value}");
    }
}

/// Each function of mkinitcpio says how it was called; one has the name of the program.
const MKINITCPIO: &str = r#"
for name in add_module add_binary add_file add_dir add_symlink add_runscript warning; do
    eval "$name() { echo \"$name \$*\"; }"
done
/usr/sbin/xvdguard() { echo "xvdguard $*"; return "$FREEZES"; }
. "$INSTALL"
build
"#;

fn build(buildroot: &str, freezes: &str) -> String {
    let install = concat!(env!("CARGO_MANIFEST_DIR"), "/../initramfs/mkinitcpio/install");
    let variables = [("BUILDROOT", buildroot), ("FREEZES", freezes), ("INSTALL", install)];
    let (code, said) = bash(MKINITCPIO, &variables);
    assert_eq!(code, Some(0), "{said}");
    said.replace(buildroot, "ROOT")
}

const EVERYWHERE: &str = "add_module xen-blkfront?
add_binary /usr/lib/xvdguard/xvdguard-early /usr/lib/xvdguard/xvdguard-early
add_file /usr/lib/xvdguard/within-limit /usr/lib/xvdguard/within-limit 755
add_file /usr/lib/xvdguard/root-options /usr/lib/xvdguard/root-options 755
add_file /usr/lib/xvdguard/queue-limits /usr/lib/xvdguard/queue-limits 755
add_file /usr/lib/udev/rules.d/60-xvdguard.rules
add_dir /etc/xvdguard
xvdguard config freeze -o ROOT/etc/xvdguard/frozen.policy
";

#[test]
fn mkinitcpio_gets_a_hook_for_busybox_and_a_unit_for_systemd() {
    let Some(_) = requires::program("bash") else { return };
    let scratch = Scratch::new("buildroot").unwrap();
    let buildroot = scratch.path().to_str().unwrap();
    assert_eq!(build(buildroot, "0"), format!("{EVERYWHERE}add_runscript \n"));
    let without_policy =
        "warning xvdguard: the image carries no policy, so defaults hold at boot\n";
    let expected = format!("{EVERYWHERE}{without_policy}add_runscript \n");
    assert_eq!(build(buildroot, "1"), expected, "the image is made all the same");

    let systemd = scratch.path().join("usr/lib/systemd/systemd");
    fs::create_dir_all(systemd.parent().unwrap()).unwrap();
    fs::write(systemd, "").unwrap();
    let units = "/usr/lib/systemd/system";
    let unit = "xvdguard-sysroot.service";
    let expected = format!(
        "{EVERYWHERE}\
        add_file /usr/lib/xvdguard/sysroot-options /usr/lib/xvdguard/sysroot-options 755\n\
        add_file /usr/lib/xvdguard/{unit} {units}/{unit}\n\
        add_symlink {units}/initrd.target.wants/{unit} ../{unit}\n"
    );
    assert_eq!(build(buildroot, "0"), expected);
}
