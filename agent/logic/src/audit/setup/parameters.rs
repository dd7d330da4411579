//! Module options and kernel variables, as files set them and as they are.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::File;
use crate::text::Text;

/// One `name=value` of an `options` line (modprobe.d(5)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleOption {
    /// The file with its line.
    pub place: String,
    /// Each `-` a `_`, as modprobe reads it.
    pub module: String,
    /// The option's name.
    pub name: String,
    /// `name=value` as it stands there.
    pub shown: Text,
}

/// One kernel variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysctl {
    /// The file with its line; the file in `/proc/sys` where it is live.
    pub place: String,
    /// `kernel.panic_on_warn`.
    pub name: String,
    /// Its value.
    pub value: i64,
    /// Whether this is the kernel's own word, and not a file's.
    pub is_live: bool,
}

/// Modules of which an option may matter.
const MODULES: [&str; 3] = ["xen_blkfront", "softdog", "xen_wdt"];

/// Variables that may matter begin so.
const VARIABLES: [&str; 4] = ["hung_task_", "panic", "softlockup_panic", "unknown_nmi_panic"];

/// The options of the modules that may matter.
pub(super) fn module_options(file: &File) -> Vec<ModuleOption> {
    let mut found = Vec::new();
    for (number, line) in file.numbered() {
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        let (Some("options"), Some(module)) = (words.next(), words.next()) else { continue };
        let module = module.replace('-', "_");
        if !MODULES.contains(&&*module) {
            continue;
        }
        found.extend(words.take_while(|word| !word.starts_with('#')).map(|word| ModuleOption {
            place: file.place(number),
            module: module.clone(),
            name: word.split('=').next().unwrap_or(word).replace('-', "_"),
            shown: Text::from(word),
        }));
    }
    found
}

/// The variables of `kernel.` that a file of sysctl.d(5) sets. `/` may stand for `.` there, and a
/// leading `-` means that an error is ignored.
pub(super) fn from_file(file: &File) -> Vec<Sysctl> {
    let lines = file.numbered().filter(|(_, line)| !line.starts_with(b";"));
    let found = lines.filter_map(|(number, line)| {
        let line = core::str::from_utf8(line).ok()?;
        let (name, value) = line.split_once('=')?;
        let name = name.trim().trim_start_matches('-').replace('/', ".");
        let place = file.place(number);
        let value = value.trim().parse().ok()?;
        is_wanted(&name).then_some(Sysctl { place, name, value, is_live: false })
    });
    found.collect()
}

fn is_wanted(name: &str) -> bool {
    let variable = name.strip_prefix("kernel.");
    variable.is_some_and(|name| VARIABLES.iter().any(|start| name.starts_with(start)))
}

/// The variable that a file below `/proc/sys` is.
pub(super) fn live(file: &File) -> Option<Sysctl> {
    let path = file.path.as_str()?.strip_prefix("proc/sys/")?;
    let value = file.content.as_ref()?.as_str()?.trim().parse().ok()?;
    let name = path.replace('/', ".");
    Some(Sysctl { place: format!("/{}", file.path), name, value, is_live: true })
}

#[cfg(test)]
mod tests {
    use super::super::Kind;
    use super::*;

    fn file(path: &str, content: &str) -> File {
        let content = Some(Text::from(content));
        File { path: path.into(), kind: Kind::Sysctl, content, is_readable: true }
    }

    #[test]
    fn options_of_the_modules_that_matter_are_read() {
        let content = "# options xen_blkfront max=1\nblacklist softdog\n\
            options xen-blkfront max=64 ring_ref=32 # why\noptions nouveau modeset=0\n";
        let found = module_options(&file("etc/modprobe.d/x.conf", content));
        let shown: Vec<_> = found.iter().map(|one| (&*one.module, &*one.name)).collect();
        assert_eq!(shown, [("xen_blkfront", "max"), ("xen_blkfront", "ring_ref")]);
        assert_eq!(found[0].place, "/etc/modprobe.d/x.conf:3");
        assert_eq!(found[0].shown, "max=64");
    }

    #[test]
    fn variables_are_read_in_every_spelling() {
        let content = "# kernel.panic = 1\n;kernel.panic=2\nkernel.panic = -1\n\
            -kernel/hung_task_panic=1\nvm.swappiness = 10\nkernel.panic_on_warn = x\n";
        let found = from_file(&file("etc/sysctl.d/x.conf", content));
        let shown: Vec<_> = found.iter().map(|one| (&*one.name, one.value)).collect();
        assert_eq!(shown, [("kernel.panic", -1), ("kernel.hung_task_panic", 1)]);
        let found = live(&file("proc/sys/kernel/panic_on_oops", "1\n")).unwrap();
        assert_eq!((&*found.name, found.value, found.is_live), ("kernel.panic_on_oops", 1, true));
    }
}
