//! The kernels that this machine may boot next: the running one, and each below `/lib/modules`.
//!
//! A folder without `modules.dep` is what a removed package left. A kernel without modules cannot
//! be seen here. Never reads a boot loader's files: what is installed may be chosen.

use xvdguard_logic::kernel_version::KernelRelease;
use xvdguard_logic::text::Text;

use crate::root::Root;

const MODULES: &[u8] = b"lib/modules";

/// Reads them, the running one first, each once. What cannot be read is noted.
pub fn read(root: &Root, oddities: &mut Vec<String>) -> Vec<KernelRelease> {
    let names = running(root, oddities).into_iter().chain(installed(root, oddities));
    let mut kernels: Vec<KernelRelease> = Vec::new();
    for name in names {
        match KernelRelease::parse(&name) {
            Some(kernel) if !kernels.contains(&kernel) => kernels.push(kernel),
            Some(_) => {}
            None => oddities.push(format!("the name of kernel {name} holds no version, ignoring")),
        }
    }
    kernels
}

fn running(root: &Root, oddities: &mut Vec<String>) -> Option<Text> {
    root.read_text(b"proc/sys/kernel/osrelease").unwrap_or_else(|error| {
        oddities.push(format!("{error}, ignoring"));
        None
    })
}

fn installed(root: &Root, oddities: &mut Vec<String>) -> Vec<Text> {
    let mut names = root.list(MODULES).unwrap_or_else(|error| {
        oddities.push(format!("{error}; installed kernels are not known"));
        Vec::new()
    });
    names.retain(|name| {
        root.stat(&[MODULES, b"/", name.as_bytes(), b"/modules.dep"].concat()).is_ok()
    });
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn the_running_kernel_and_those_with_modules_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("proc/sys/kernel/osrelease", "6.1.0-56-cloud-amd64\n");
        for name in ["4.18.0-553.el8_10.x86_64", "6.1.0-56-cloud-amd64", "kabi"] {
            write(&format!("usr/lib/modules/{name}/modules.dep"), "");
        }
        write("usr/lib/modules/5.10.0-30-amd64/modules.order", "");
        symlink("usr/lib", dir.path().join("lib")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let mut oddities = Vec::new();
        let kernels = read(&root, &mut oddities);
        let names: Vec<_> = kernels.iter().map(|kernel| kernel.name.to_string()).collect();
        assert_eq!(names, ["6.1.0-56-cloud-amd64", "4.18.0-553.el8_10.x86_64"]);
        assert_eq!(oddities, ["the name of kernel kabi holds no version, ignoring"]);
    }
}
