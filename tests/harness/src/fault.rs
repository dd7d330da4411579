//! What the faulty storage shall do, as values and as the lines of its file `control`.
//!
//! One line, one fault: `read=EIO`, `write=ENOSPC`, `fsync=hang`, `fsync=ok`, `delay_ms=50`.
//! Never describes a fault that a loop device would not pass on as one.

use std::fmt;
use std::str::FromStr;

use crate::failure::Failure;

/// One thing that is wrong with the storage, or right again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// How reads are answered.
    Read(Answer),
    /// How writes and discards are answered.
    Write(Answer),
    /// How flushes are answered.
    Fsync(Answer),
    /// Every answer comes so many milliseconds late.
    DelayMs(u64),
}

/// How the storage answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answer {
    /// It does what was asked.
    #[default]
    Ok,
    /// It refuses with EIO.
    Eio,
    /// It refuses with ENOSPC, as a full thin pool does.
    Enospc,
    /// It refuses with EOPNOTSUPP.
    Eopnotsupp,
    /// It does not answer until that changes or the server ends; what was asked meanwhile is
    /// answered then.
    Hang,
}

const ANSWERS: [(&str, Answer); 5] = [
    ("ok", Answer::Ok),
    ("EIO", Answer::Eio),
    ("ENOSPC", Answer::Enospc),
    ("EOPNOTSUPP", Answer::Eopnotsupp),
    ("hang", Answer::Hang),
];

impl Fault {
    /// Reads, writes and flushes alike: `Hang` is an outage that the host queues, `Eio` one that
    /// it reports, `Ok` its end.
    pub fn everything(answer: Answer) -> [Fault; 3] {
        [Fault::Read(answer), Fault::Write(answer), Fault::Fsync(answer)]
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Read(answer) => write!(to, "read={answer}"),
            Fault::Write(answer) => write!(to, "write={answer}"),
            Fault::Fsync(answer) => write!(to, "fsync={answer}"),
            Fault::DelayMs(delay) => write!(to, "delay_ms={delay}"),
        }
    }
}

impl FromStr for Fault {
    type Err = Failure;

    fn from_str(line: &str) -> Result<Fault, Failure> {
        let unknown = || Failure::new(format!("unknown fault: {line:?}"));
        let (what, how) = line.split_once('=').ok_or_else(unknown)?;
        match what {
            "read" => Ok(Fault::Read(how.parse()?)),
            "write" => Ok(Fault::Write(how.parse()?)),
            "fsync" => Ok(Fault::Fsync(how.parse()?)),
            "delay_ms" => how.parse().map(Fault::DelayMs).map_err(|_| unknown()),
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = ANSWERS.iter().find(|(_, answer)| answer == self).map(|(name, _)| name);
        to.write_str(name.copied().unwrap_or_default())
    }
}

impl FromStr for Answer {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Answer, Failure> {
        let known = ANSWERS.iter().find(|(known, _)| *known == name);
        known.map(|(_, answer)| *answer).ok_or_else(|| {
            Failure::new(format!("unknown answer: {name:?}, not ok, EIO, ENOSPC, EOPNOTSUPP, hang"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_read_back_from_its_line() {
        for (_, answer) in ANSWERS {
            for fault in [Fault::Read(answer), Fault::Write(answer), Fault::Fsync(answer)] {
                assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }
        assert_eq!("delay_ms=50".parse(), Ok(Fault::DelayMs(50)));
        for wrong in ["", "fsync", "fsync=eio", "flush=EIO", "delay_ms=-1"] {
            assert!(wrong.parse::<Fault>().is_err(), "{wrong}");
        }
    }
}
