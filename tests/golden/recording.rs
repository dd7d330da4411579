//! One recording, looked at as `xvdguard --root DIR --xenstore DIR/xenstore.txt` would. Never
//! changes it but by taking reports away.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use harness::recordings;
use tempfile::TempDir;
use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::probe::judge_all;
use xvdguard_linux::reports;
use xvdguard_linux::world::{Places, World};
use xvdguard_logic::verdict::report::DiskReport;

/// An unpacked recording; its folder goes with it.
pub struct Recording {
    folder: TempDir,
}

impl Recording {
    /// `None` where there is no such recording.
    pub fn unpack(kernel: &str, moment: &str) -> Option<Recording> {
        recordings::unpack(kernel, moment).unwrap().map(|folder| Recording { folder })
    }

    /// Takes away what early boot left.
    pub fn forget_reports(&self) {
        let run = self.path("run");
        if run.exists() {
            fs::remove_dir_all(run).unwrap();
        }
    }

    /// The verdict of every disk.
    pub fn verdicts(&self) -> Vec<DiskReport> {
        let root = Some(self.path(""));
        let xenstore = Some(self.path("xenstore.txt"));
        let deadline = Instant::now() + Duration::from_secs(10);
        let places = Places { root, xenstore, kernel_log: None };
        let mut world = World::open(&places, deadline).unwrap();
        let mut seen = world.observe(Look { depth: Depth::All, deadline });
        let earlier = reports::read_all(&world.root, &mut seen.oddities);
        assert_eq!(seen.oddities, [] as [&str; 0]);
        judge_all(&seen, &earlier, None)
    }

    fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }
}
