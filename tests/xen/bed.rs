//! The bed: QEMU with a hypervisor and a dom0 in it, and the channel on which dom0 does what it is
//! told.
//!
//! Everything that it writes to is memory or a scratch directory; the kernel kills QEMU when this
//! process ends, however it ends. Waits as long as an answer may still come, and never for ever.

use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::deadline;
use harness::failure::{Failure, Result, Tried};
use harness::helper::Helper;

use crate::build::dom0::Host;
use crate::build::emulator::Emulator;

/// Memory of everything, and dom0's share.
const MEMORY: &str = "3072";
const DOM0_MEMORY: &str = "1536M";
/// The emulated processor: with a random number instruction (else dom0 waits for entropy) and
/// nested paging; without what later processors have and Xen then wants from the emulator (SMAP).
const PROCESSOR: &str = "qemu64,+rdrand,+npt";
/// Time passes with the instructions that were executed, one nanosecond each, and not with this
/// machine's clock: so the deadlines inside mean the same on an idle machine and on a busy one.
const CLOCK: &str = "shift=0";
/// The same, and while all wait the clock jumps to the end of the wait. Only where every disk is
/// memory: a bed that waits for a disk of this machine would see all its deadlines fly past.
const JUMPING_CLOCK: &str = "shift=0,sleep=off";
/// An answer may take so long on top of what the bed works for it, and so many times as long as
/// the bed works, since a busy machine gives it little; one that needs more work never comes.
const PATIENCE: Duration = Duration::from_secs(600);
const STARVED: u32 = 15;
const WORK: Duration = Duration::from_secs(1800);
/// QEMU makes its socket at its very beginning.
const SOCKET_WITHIN: Duration = Duration::from_secs(60);
/// How long one read waits before it looks for other signs of life.
const LOOK: Duration = Duration::from_secs(2);

/// A running bed; dropping it kills it.
#[derive(Debug)]
pub struct Bed {
    qemu: Helper,
    channel: BufReader<UnixStream>,
    log: PathBuf,
    /// Whether something is left in it that the next guest must not find.
    pub is_spoilt: bool,
    /// When it was asked last, and how much it had worked by then.
    asked: (Instant, Duration),
    /// How long an answer may take on top of what the bed works for it.
    patience: Duration,
}

impl Bed {
    /// Boots Xen and dom0. `drives` are a tar that dom0 finds unpacked in `/bed`, and disks that it
    /// finds as /dev/vdb and so on; nothing is written to them. The logs go to `folder`, which is
    /// on a disk with room.
    pub fn start(
        emulator: &Emulator,
        host: &Host,
        drives: &[PathBuf],
        folder: &Path,
    ) -> Result<Bed> {
        let payload = drives.first().ok_or_else(|| Failure::new("the bed has no payload"))?;
        let (log, socket) = (folder.join("dom0.log"), payload.with_file_name("channel"));
        let _ = fs::remove_file(&socket);
        let errors = folder.join("qemu.log");
        let errors = fs::File::create(&errors).tried(format_args!("make {}", errors.display()))?;
        let clock = if drives.len() == 1 { JUMPING_CLOCK } else { CLOCK };
        let mut qemu = emulator.command();
        qemu.args([
            "-accel", "tcg", "-machine", "pc", "-cpu", PROCESSOR, "-smp", "1", "-m", MEMORY,
        ])
        .args(["-icount", clock])
        .args(["-nodefaults", "-no-reboot", "-display", "none", "-net", "none"])
        .args(["-serial", &format!("file:{}", log.display())])
        .arg("-kernel")
        .arg(&host.xen)
        // The loader takes the first word for the name of the hypervisor.
        .args(["-append", &hypervisor_options()])
        .args(["-initrd", &modules(host)])
        .args(drives.iter().flat_map(|file| ["-drive".to_owned(), drive(file)]))
        .args(["-device", "virtio-serial-pci", "-device", "virtserialport,chardev=channel"])
        .args([
            "-chardev",
            &format!("socket,id=channel,server=on,wait=off,path={}", socket.display()),
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(errors);
        let qemu = Helper::start(qemu)?;
        let connected = deadline::seen(SOCKET_WITHIN, || match UnixStream::connect(&socket) {
            Err(_) if !qemu.has_ended() => None,
            connected => Some(connected.ok()),
        });
        let late = || Failure::new(format!("QEMU did not start: see {}", folder.display()));
        let channel = connected.flatten().ok_or_else(late)?;
        channel.set_read_timeout(Some(LOOK)).tried("set a limit for the channel")?;
        let asked = (Instant::now(), Duration::ZERO);
        let channel = BufReader::new(channel);
        let mut bed = Bed { qemu, channel, log, is_spoilt: false, asked, patience: PATIENCE };
        let hello = bed.line("boot dom0")?;
        if hello == "ready" { Ok(bed) } else { Err(bed.strange("boot dom0", &hello)) }
    }

    /// The folder with what was seen.
    pub fn logs(&self) -> &Path {
        self.log.parent().unwrap_or(Path::new("."))
    }

    /// Runs a shell script in dom0 and returns what it printed; any code but 0 is a failure.
    pub fn run(&mut self, script: &str) -> Result<String> {
        let first = script.lines().next().unwrap_or_default();
        let what = format!("run in dom0: {first}");
        let message = format!("{}\n{script}", script.len());
        self.asked = (Instant::now(), self.worked());
        self.note(first);
        match self.channel.get_mut().write_all(message.as_bytes()) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Err(self.ended(&what)),
            written => written.tried(&what)?,
        }
        let answer = self.line(&what)?;
        let Some((code, size)) = answer.split_once(' ') else {
            return Err(self.strange(&what, &answer));
        };
        let mut output = vec![0; size.parse().tried(&what)?];
        self.fill(&mut output, &what)?;
        let output = String::from_utf8_lossy(&output).into_owned();
        if code == "0" {
            return Ok(output);
        }
        Err(Failure::new(format!("cannot {what}: it ended with {code}: {}", output.trim_end())))
    }

    /// What it was asked, with the seconds that it had worked by then, for whoever waits for it.
    fn note(&self, what: &str) {
        let log = OpenOptions::new().append(true).create(true).open(self.logs().join("asked.log"));
        if let Ok(mut log) = log {
            let _ = writeln!(log, "{:>6} {what}", self.asked.1.as_secs());
        }
    }

    /// The next line of the channel.
    fn line(&mut self, what: &str) -> Result<String> {
        let mut line = Vec::new();
        while line.last() != Some(&b'\n') {
            self.wait(what, |channel| channel.read_until(b'\n', &mut line))?;
        }
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    fn fill(&mut self, output: &mut [u8], what: &str) -> Result<()> {
        let mut filled = 0;
        while filled < output.len() {
            filled += self.wait(what, |channel| channel.read(&mut output[filled..]))?;
        }
        Ok(())
    }

    /// Reads, and reads again while nothing comes but it may still come.
    fn wait(
        &mut self,
        what: &str,
        mut read: impl FnMut(&mut BufReader<UnixStream>) -> std::io::Result<usize>,
    ) -> Result<usize> {
        loop {
            match read(&mut self.channel) {
                Ok(0) => return Err(self.ended(what)),
                Ok(length) => return Ok(length),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                    return Err(self.ended(what));
                }
                Err(error) => return Err(error).tried(what),
            }
            let (waited, worked) =
                (self.asked.0.elapsed(), self.worked().saturating_sub(self.asked.1));
            if waited > self.patience + worked * STARVED || worked > WORK {
                let (waited, worked) = (waited.as_secs(), worked.as_secs());
                let silent = format!("no answer after {waited} s, {worked} s of them at work");
                return Err(Failure::new(format!(
                    "cannot {what}: {silent}; {}",
                    self.last_words()
                )));
            }
        }
    }

    /// The processor time that QEMU has used so far.
    fn worked(&self) -> Duration {
        /// USER_HZ, which the kernel counts in for user space (proc(5)).
        const TICKS_PER_SECOND: u64 = 100;
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.qemu.pid().as_raw_nonzero()));
        let stat = stat.unwrap_or_default();
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
        let ticks: u64 =
            fields.skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND)
    }

    fn ended(&self, what: &str) -> Failure {
        Failure::new(format!("cannot {what}: QEMU has ended; {}", self.last_words()))
    }

    fn strange(&self, what: &str, answer: &str) -> Failure {
        Failure::new(format!("cannot {what}: dom0 answered {answer:?}; {}", self.last_words()))
    }

    /// The end of dom0's console, for whoever has to find out.
    fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(3)..];
        format!("its console ends with {last:?} ({})", self.log.display())
    }
}

fn hypervisor_options() -> String {
    format!(
        "xen console=com1 com1=115200,8n1 dom0_mem={DOM0_MEMORY},max:{DOM0_MEMORY} noreboot \
         loglvl=warning guest_loglvl=warning"
    )
}

/// A comma ends a module, so there may be none in its options.
fn modules(host: &Host) -> String {
    let (kernel, root) = (host.kernel.display(), host.root.display());
    format!("{kernel} console=hvc0 earlyprintk=xen panic=-1,{root}")
}

/// What is written goes to a file of QEMU's that has no name.
fn drive(file: &Path) -> String {
    format!("file={},format=raw,if=virtio,snapshot=on", file.display())
}

#[cfg(test)]
mod tests {
    use std::net::Shutdown;
    use std::process::Command;

    use super::*;

    /// A bed whose emulator does nothing, with the end of the channel that dom0 would hold.
    fn bed(folder: &Path) -> (Bed, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
        let mut qemu = Command::new("sleep");
        qemu.arg("600");
        let log = folder.join("dom0.log");
        fs::write(&log, "booting\n\nPanic on CPU 0\n").unwrap();
        let bed = Bed {
            qemu: Helper::start(qemu).unwrap(),
            channel: BufReader::new(ours),
            log,
            is_spoilt: false,
            asked: (Instant::now(), Duration::ZERO),
            patience: Duration::from_millis(100),
        };
        (bed, theirs)
    }

    /// What comes of a script when dom0 says this and then nothing more.
    fn said(answer: &str, is_left_open: bool) -> Result<String> {
        let scratch = harness::scratch::Scratch::new("bed").unwrap();
        let (mut bed, mut dom0) = bed(scratch.path());
        dom0.write_all(answer.as_bytes()).unwrap();
        if !is_left_open {
            dom0.shutdown(Shutdown::Write).unwrap();
        }
        bed.run("# look\ntrue")
    }

    #[test]
    fn an_answer_is_what_the_script_printed() {
        assert_eq!(said("0 3\na\nb", true).unwrap(), "a\nb");
        let failed = said("7 5\nno a\n", true).unwrap_err().to_string();
        assert_eq!(failed, "cannot run in dom0: # look: it ended with 7: no a");
    }

    #[test]
    fn an_emulator_that_ends_is_named_with_the_last_words_of_its_console() {
        for answer in ["", "0", "0 9\nhalf"] {
            let failed = said(answer, false).unwrap_err().to_string();
            assert!(
                failed.starts_with(
                    "cannot run in dom0: # look: QEMU has ended; \
                     its console ends with [\"booting\", \"Panic on CPU 0\"]"
                ),
                "{failed}"
            );
        }
    }

    #[test]
    fn an_emulator_that_has_ended_before_is_told_so() {
        let scratch = harness::scratch::Scratch::new("bed").unwrap();
        let (mut bed, dom0) = bed(scratch.path());
        drop(dom0);
        let failed = bed.run("# look\ntrue").unwrap_err().to_string();
        assert!(failed.contains("QEMU has ended; its console ends with"), "{failed}");
    }

    #[test]
    fn an_emulator_that_hangs_is_not_waited_for_for_ever() {
        for answer in ["", "0", "0 9\nhalf"] {
            let failed = said(answer, true).unwrap_err().to_string();
            assert!(failed.contains("no answer after 0 s, 0 s of them at work"), "{failed}");
        }
    }

    #[test]
    fn an_answer_that_is_none_is_told_as_it_is() {
        let failed = said("login:\n", true).unwrap_err().to_string();
        assert!(failed.contains("dom0 answered \"login:\""), "{failed}");
    }
}
