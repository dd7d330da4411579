//! The command line, for people.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use xvdguard_linux::calls::memory;
use xvdguard_linux::world::Places;
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::policy::duration;

/// Keeps Xen guests alive when the storage below them misbehaves.
#[derive(Debug, Parser)]
#[command(name = "xvdguard", version, disable_help_subcommand = true)]
#[command(after_help = "Off for one boot: add xvdguard=off to the kernel command line.")]
pub struct Arguments {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Look at DIR instead of this machine (a recording, a chroot)
    #[arg(long, global = true, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Read xenstore from a socket, a device, or a saved `xenstore-ls -f`
    #[arg(long, global = true, value_name = "FILE|SOCKET")]
    pub xenstore: Option<PathBuf>,
    /// Read the kernel log from a file with records of /dev/kmsg
    #[arg(long, global = true, value_name = "FILE")]
    pub kernel_log: Option<PathBuf>,
    /// Read the configuration from FILE alone
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// Print verdicts only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print the evidence as well
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Never colour (also: NO_COLOR)
    #[arg(long, global = true)]
    pub no_color: bool,
}

/// Something to show instead of a command: help, the version, or what is wrong.
#[derive(Debug)]
pub struct Notice {
    /// For people.
    pub text: String,
    /// Whether the command line was wrong.
    pub is_error: bool,
}

/// Reads this process's command line.
pub fn parse() -> Result<Arguments, Notice> {
    // The daemon and its keeper would hold for ever what clap leaves behind.
    memory::once(Arguments::try_parse)
        .map_err(|error| Notice { text: error.to_string(), is_error: error.use_stderr() })
}

/// The whole command line, for man pages and completions.
#[cfg(feature = "generate")]
pub type Interface = clap::Command;

/// What there is to say on the command line.
#[cfg(feature = "generate")]
pub fn interface() -> Interface {
    let mut interface = <Arguments as clap::CommandFactory>::command();
    interface.build();
    interface
}

/// Whether these words ask for `check`, which has exit codes of its own. For a command line that
/// cannot be understood as a whole.
pub fn asks_for_check(words: impl Iterator<Item = OsString>) -> bool {
    const WITH_VALUE: [&str; 4] = ["--config", "--kernel-log", "--root", "--xenstore"];
    let mut words = words.skip(1);
    while let Some(word) = words.next() {
        if WITH_VALUE.iter().any(|option| word == *option) {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return word == "check";
        }
    }
    false
}

impl Global {
    /// Where the world is.
    pub fn places(&self) -> Places {
        Places {
            root: self.root.clone(),
            xenstore: self.xenstore.clone(),
            kernel_log: self.kernel_log.clone(),
        }
    }
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show disks and volumes with verdict, evidence and what to do; sends nothing
    Status,
    /// Tell what is dangerous on this guest, and what to do about it; changes nothing
    ///
    /// Exit status: 0 when nothing is worse than an info, 1 for warnings, 2 for critical findings,
    /// 3 when the audit could not look.
    Check(Check),
    /// Flush disks once and say what came of it
    ///
    /// Exit status: 0 when every disk is proven, absent, off or switched-off, else 1.
    Probe(Probe),
    /// Show what apply would change in fstab, queues and mounts, and why
    ///
    /// Exit status: 0 when there is nothing to change, 10 when there is.
    Plan(Plan),
    /// Carry the plan out, and undo what was done where a step fails
    Apply(Apply),
    /// Take back what apply did: the exact bytes of fstab, mounts, write_cache
    ///
    /// Refuses where somebody changed one of these lines since.
    Revert,
    /// Tell the story of a kernel log: what failed first, what followed, what to do
    ///
    /// Reads what dmesg, journalctl, syslog, /dev/kmsg or a console wrote, quoted or not. Exit
    /// status: 0 when no failure is in it, 10 when there are findings.
    Explain(Explain),
    /// Save what this machine looks like, as an archive for a bug report or --root
    Record(Record),
    /// Step through a recording of the daemon's turns, and decide each again
    ///
    /// The daemon keeps one beside the evidence of each incident, in /var/lib/xvdguard/record or
    /// /run/xvdguard/record. Nothing of what is decided is done. Exit status: 0 when each turn
    /// would be decided today as it was, 1 when one would not.
    Replay(Replay),
    /// Watch, and bring file systems back: what the service runs
    Daemon,
    /// No automatic action until it is released
    Hold(Hold),
    /// Try everything of a recovery but stopping and unmounting, before the first outage
    ///
    /// Exit status: 0 when a recovery would find all it needs, else 1.
    Rehearse(Rehearse),
    /// End a hold, or say that a volume which was left to you is seen to
    Release(Release),
    /// Validate the configuration, show what is in force, freeze it for the image
    #[command(subcommand)]
    Config(Config),
}

/// What `config` does. Exit status: 78 where the configuration is wrong.
#[derive(Debug, Subcommand)]
pub enum Config {
    /// Read all files and say ok, or everything that is wrong with them
    Check,
    /// Print every value in force, with where it came from
    Show,
    /// Print the policy that early boot reads, for the image
    Freeze(Freeze),
}

/// Options of `config freeze`.
#[derive(Debug, Args)]
pub struct Freeze {
    /// Write it to FILE instead
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Speak as a monitoring plugin: one line with performance data, then the findings
    #[arg(long, conflicts_with = "json")]
    pub nagios: bool,
    /// List the rules instead
    #[arg(long, conflicts_with_all = ["json", "nagios"])]
    pub rules: bool,
}

/// Options of `probe`.
#[derive(Debug, Args)]
pub struct Probe {
    /// Names like xvda; all when none is given
    #[arg(value_name = "DISK")]
    pub disks: Vec<String>,
    /// For the udev rule and a new package: within 3 s, where the policy probes, what is not known
    #[arg(long)]
    pub appeared: bool,
}

/// Options of `apply`.
#[derive(Debug, Args)]
pub struct Apply {
    /// Show the plan only
    #[arg(long)]
    pub dry_run: bool,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// A log, or - for standard input; this machine's own when none is given
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The kernel that wrote it, if the log does not say so (6.1, 3.10.0-1160.el7)
    #[arg(long, value_name = "VERSION", value_parser = kernel_version)]
    pub kernel: Option<KernelVersion>,
    /// Draw the incident as a timeline as well (SVG)
    #[arg(long, value_name = "FILE.svg")]
    pub picture: Option<PathBuf>,
}

fn kernel_version(text: &str) -> Result<KernelVersion, &'static str> {
    KernelVersion::parse(text).ok_or("it does not begin with two numbers, as 6.1 does")
}

/// Options of `plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// Show instead how this volume would be brought back, and who uses it
    #[arg(long, value_name = "MOUNT")]
    pub recovery: Option<String>,
}

/// Options of `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The mount point of a volume, as status shows it
    #[arg(value_name = "MOUNT")]
    pub mount: String,
}

/// Options of `hold`.
#[derive(Debug, Args)]
pub struct Hold {
    /// End it by itself after this time (90s, 2h)
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub time: Option<Duration>,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT")]
    pub why: Option<String>,
}

fn duration(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text).map_err(|_| "it is no number with a unit, as 90s, 10min or 2h are")
}

/// Options of `release`.
#[derive(Debug, Args)]
pub struct Release {
    /// The mount point of a volume, as status shows it; the hold when none is given
    #[arg(value_name = "MOUNT")]
    pub mount: Option<String>,
}

/// Options of `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// A recording (incident-*.turns), or - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Options of `record`.
#[derive(Debug, Args)]
pub struct Record {
    /// The archive (tar)
    #[arg(short, long, value_name = "FILE")]
    pub output: PathBuf,
    /// Leave out host name, domain name and uuid
    #[arg(long)]
    pub anonymous: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_command_itself_asks_for_check() {
        for (words, expected) in [
            ("xvdguard check --bogus", true),
            ("xvdguard --root check status", false),
            ("xvdguard --json --root=/x check --nagios", true),
            ("xvdguard --root", false),
            ("xvdguard config check --bogus", false),
        ] {
            let asks = asks_for_check(words.split(' ').map(OsString::from));
            assert_eq!(asks, expected, "{words}");
        }
    }
}
