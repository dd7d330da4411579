//! syslog, where no journal hears what is said: a sysvinit gives a daemon no standard error.
//!
//! Never waits: a syslogd that hangs on the disk that this is about gets nothing. Nor is a clock or
//! a time zone asked, whose file may be on that disk: syslogd puts the time to each line itself.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::os::unix::net::UnixDatagram;

use syslog::{Facility, LogFormat, Logger, Severity};
use xvdguard_logic::recovery::effects::Level;

/// Where syslogd listens (syslog(3)).
const SOCKET: &str = "/dev/log";

/// What stands before each line.
struct Plain;

impl<T: Display> LogFormat<T> for Plain {
    fn format<W: Write>(&self, to: &mut W, severity: Severity, text: T) -> syslog::Result<()> {
        let priority = Facility::LOG_DAEMON as u8 | severity as u8;
        let pid = std::process::id();
        // One write: each is a datagram.
        let line = format!("<{priority}>xvdguard[{pid}]: {text}");
        to.write_all(line.as_bytes()).map_err(syslog::Error::Write)
    }
}

/// The crate's own backends speak UDP and TCP as well, which nobody needs here.
struct Socket(UnixDatagram);

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.send(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether what is said to standard error reaches nobody: it is neither a journal's
/// (systemd.exec(5)) nor a person's.
pub fn is_needed() -> bool {
    std::env::var_os("JOURNAL_STREAM").is_none() && !std::io::stderr().is_terminal()
}

/// Says one line. Where there is no syslogd, nobody hears it.
pub fn say(level: Level, text: &str) {
    // Connected anew each time: a syslogd that was restarted has another socket there.
    let Ok(socket) = connect() else { return };
    let mut logger = Logger::new(Socket(socket), Plain);
    let _ = match level {
        Level::Notice => logger.notice(text),
        Level::Warning => logger.warning(text),
        Level::Alert => logger.alert(text),
    };
}

fn connect() -> std::io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(SOCKET)?;
    Ok(socket)
}
