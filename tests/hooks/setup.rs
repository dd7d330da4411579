//! What the tests of this target share: the root directory of an initramfs, and one run in it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::programs::{self, Ran};
use harness::scratch::Scratch;
use harness::{program, requires};

/// Where the program lies in an image, as in the system.
pub const EARLY: &str = "usr/lib/xvdguard/xvdguard-early";
/// Where the script lies that starts it.
pub const ROOT_OPTIONS: &str = "usr/lib/xvdguard/root-options";
/// What holds its limit.
const WITHIN_LIMIT: &str = "usr/lib/xvdguard/within-limit";
/// Answers as the program does where root needs barrier=0.
pub const NEEDS: &str = "#!/bin/sh\necho \"${5:+$5,}barrier=0\" >$7\n";

const LIMIT: Duration = Duration::from_secs(60);
/// The line of the script with its limit. A test that does not want to wait for it shortens it.
const LIMIT_LINE: &str = "\nLIMIT_S=5 ";
/// What the script and the programs of the tests call.
const APPLETS: [&str; 14] = [
    "chmod", "cp", "dd", "head", "kill", "ln", "ls", "mkdir", "mkfifo", "mknod", "rm", "sleep",
    "sync", "yes",
];

/// The shells of initramfs-tools and mkinitcpio.
pub const SHELLS: [&str; 2] = ["busybox", "dash"];

/// The root directory of an initramfs with one of these shells.
#[derive(Debug)]
pub struct Image {
    scratch: Scratch,
}

impl Image {
    /// One with the scripts in it; `None` where this machine cannot play it.
    #[track_caller]
    pub fn new(shell: &str) -> Option<Image> {
        requires::root()?;
        let busybox = requires::program("busybox")?;
        let shell = requires::program(shell)?;
        let image = Image { scratch: Scratch::new("image").unwrap() };
        for folder in ["bin", "conf", "dev", "run", "usr/lib/xvdguard"] {
            fs::create_dir_all(image.within(folder)).unwrap();
        }
        fs::copy(busybox, image.within("bin/busybox")).unwrap();
        for applet in APPLETS {
            symlink("busybox", image.within("bin").join(applet)).unwrap();
        }
        image.add_shell(&shell);
        let null = image.within("dev/null");
        program::run("mknod", &["-m", "0666", null.to_str().unwrap(), "c", "1", "3"]).unwrap();
        image.script(ROOT_OPTIONS, include_str!("../../initramfs/root-options"));
        let queue_limits = include_str!("../../initramfs/queue-limits");
        image.script("usr/lib/xvdguard/queue-limits", queue_limits);
        image.script(WITHIN_LIMIT, include_str!("../../initramfs/within-limit"));
        Some(image)
    }

    /// With the libraries that it asks for.
    fn add_shell(&self, shell: &Path) {
        if shell.ends_with("busybox") {
            symlink("busybox", self.within("bin/sh")).unwrap();
            return;
        }
        fs::copy(shell, self.within("bin/sh")).unwrap();
        let asked = program::run("ldd", &[shell]).unwrap_or_default();
        for library in asked.split_whitespace().filter(|word| word.starts_with('/')) {
            let copy = self.within(library.trim_start_matches('/'));
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(library, copy).unwrap();
        }
    }

    /// A path of the image, seen from outside.
    pub fn within(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    /// Writes a program. By another process: while a file of this one is open for writing, and be
    /// it in a child that another test's thread has just forked, nobody can execute it.
    pub fn script(&self, path: &str, text: &str) {
        let path = self.within(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let draft = path.with_extension("draft");
        fs::write(&draft, text).unwrap();
        let words = ["-m", "0755", draft.to_str().unwrap(), path.to_str().unwrap()];
        program::run("install", &words).unwrap();
        fs::remove_file(draft).unwrap();
    }

    /// Puts a shell script in the place of `xvdguard-early`; `$answer` is the file for its answer.
    pub fn early(&self, body: &str) {
        let text = format!("#!/bin/sh\nshift 5; answer=$2\n{body}\n");
        self.script(EARLY, &text);
    }

    /// Makes the scripts wait this long instead.
    pub fn limit(&self, seconds: &str) {
        let text = include_str!("../../initramfs/within-limit");
        assert_eq!(text.matches(LIMIT_LINE).count(), 1);
        self.script(WITHIN_LIMIT, &text.replace(LIMIT_LINE, &format!("\nLIMIT_S={seconds} ")));
    }

    /// Forgets what an earlier run left in /run.
    pub fn reboot(&self) {
        program::run("rm", &["-rf".into(), self.within("run/xvdguard")]).unwrap();
    }

    /// Runs a program of the image with this environment and no other. It must end.
    pub fn run(&self, words: &[&str], environment: &[(&str, &str)]) -> Ran {
        let mut command = Command::new("chroot");
        command.arg(self.scratch.path()).args(words).current_dir("/");
        command.env_clear().env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin");
        command.envs(environment.iter().copied());
        programs::run(command, LIMIT).unwrap()
    }

    /// Runs `root-options`.
    pub fn start(&self, words: &[&str]) -> Ran {
        self.run(&[&["/usr/lib/xvdguard/root-options"], words].concat(), &[])
    }

    /// Runs `queue-limits` for xvda; it must end with 0 and say nothing on standard error.
    pub fn queue_limits(&self) -> Ran {
        let ran = self.run(&["/usr/lib/xvdguard/queue-limits", "xvda"], &[]);
        assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{ran:?}");
        ran
    }

    /// Runs `root-options`; it must end with 0 and say nothing on standard error.
    pub fn root_options(&self, words: &[&str]) -> String {
        let ran = self.start(words);
        assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{ran:?}");
        ran.out()
    }
}
