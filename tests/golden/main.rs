//! Recordings of real Xen guests, judged. Each archive was written by `xvdguard record` in a guest
//! of that kernel, before and after `xvdguard-early boot`, with one disk for each way in which a
//! backend can answer a flush. Never judges by a report alone: one test takes the reports away.

#[cfg(test)]
mod recording;

#[cfg(test)]
mod tests {
    use xvdguard_logic::verdict::FlushVerdict;

    use crate::recording::Recording;

    const KERNELS: [&str; 4] = ["5.10", "6.1", "6.12", "7.2"];

    /// What the host did to each disk, and what is so after one lone flush was sent to it. Measured
    /// on these kernels by the counter of flushes at the host and by the file system's health.
    const ROWS: [(&str, &str, FlushVerdict); 6] = [
        ("xvdb", "flush advertised, refused with EOPNOTSUPP", FlushVerdict::Refused),
        ("xvdc", "flush advertised, answered with an error", FlushVerdict::Failing),
        ("xvdd", "only barrier advertised, refused with EOPNOTSUPP", FlushVerdict::Refused),
        ("xvde", "only barrier advertised, answered with an error", FlushVerdict::Failing),
        ("xvdf", "healthy", FlushVerdict::Proven),
        ("xvdg", "healthy, but the vbd is read-only", FlushVerdict::Absent),
    ];

    fn check(moment: &str, expected: impl Fn(FlushVerdict) -> FlushVerdict, with_reports: bool) {
        for kernel in KERNELS {
            let Some(recording) = Recording::unpack(kernel, moment) else { continue };
            if !with_reports {
                recording.forget_reports();
            }
            let verdicts = recording.verdicts();
            for (disk, what, verdict) in ROWS {
                let report = verdicts.iter().find(|report| report.name == disk).unwrap();
                let found = report.verdict;
                assert_eq!(found, expected(verdict), "{kernel} {moment}, {what}: {report:#?}");
            }
        }
    }

    /// A lone flush is needed to know anything but what is plainly advertised.
    fn unknown_but_absent(verdict: FlushVerdict) -> FlushVerdict {
        if verdict == FlushVerdict::Absent { verdict } else { FlushVerdict::Untested }
    }

    #[test]
    fn before_a_flush_nothing_is_claimed() {
        check("before", unknown_but_absent, true);
    }

    #[test]
    fn after_early_boot_every_kernel_and_answer_is_judged_right() {
        check("after", |verdict| verdict, true);
    }

    #[test]
    fn a_failure_is_known_from_key_and_kernel_line_without_any_report() {
        let without_proof = |verdict| match verdict {
            FlushVerdict::Proven => FlushVerdict::Untested,
            other => other,
        };
        check("after", without_proof, false);
    }

    /// What happened to the one disk of a guest after early boot had found it healthy, the kernels
    /// that it was recorded on, and what is so of its flushes since.
    const STORIES: [(&str, &[&str], FlushVerdict); 4] = [
        // Errors for 12 s: writes failed and the journal was aborted, but no flush failed; the
        // kernel said so of none, and its cache still reads "write back".
        ("error-window", &["5.10"], FlushVerdict::Proven),
        // The same, where reads worked.
        ("write-error", &["5.10"], FlushVerdict::Proven),
        // The backend began to refuse flushes while the disk was in use, and the journal died.
        ("mid-life-refusal", &["5.10", "6.1"], FlushVerdict::Refused),
        // 20 s without an answer, then all were answered.
        ("stall", &["6.1"], FlushVerdict::Proven),
    ];

    #[test]
    fn what_happens_after_early_boot_is_judged_right() {
        for (story, kernels, expected) in STORIES {
            for kernel in kernels {
                let verdicts = Recording::unpack(kernel, story).unwrap().verdicts();
                let found: Vec<_> =
                    verdicts.iter().map(|report| (report.name.clone(), report.verdict)).collect();
                assert_eq!(found, [("xvda".into(), expected)], "{kernel} {story}: {verdicts:#?}");
            }
        }
    }

    #[test]
    fn every_row_has_its_recording() {
        let moments = ["before", "after"];
        let wanted = KERNELS.iter().flat_map(|kernel| moments.map(|moment| (*kernel, moment)));
        let missing: Vec<_> = wanted.filter(|(k, m)| Recording::unpack(k, m).is_none()).collect();
        assert!(missing.is_empty(), "rows without a recording: {missing:?}");
    }
}
