//! fstab: its lines, its edits, and what the options do to kernels of every age.

use xvdguard_logic::fstab::{Edit, Entry, Fstab};
use xvdguard_logic::grammar::{Grammar, Prediction, When, predict_all};
use xvdguard_logic::kernel_version::KernelRelease;
use xvdguard_logic::text::Text;

use super::{Parser, must, parser};

const FSTAB: [&[u8]; 3] = [
    b"# /etc/fstab\nUUID=12ab-34cd / ext4 errors=remount-ro,barrier=0 0 1\n\n/dev/xvdb1\t\
      /srv/a\\040b ext3 noatime,barrier=1\t0\t2\nproc /proc proc defaults 0 0\n",
    b"/dev/xvda2 none swap sw 0 0\r\n/dev/mapper/vg0-data /data xfs nobarrier,\"a b\" 0 0",
    b"# xvdguard: was noatime\n/dev/xvda1 /srv ext4 noatime,barrier=0 0 2\n",
];

/// fstab: printing is the identity, and what was edited can be taken back to the byte.
pub fn fstab() -> Parser {
    let words: &[&[u8]] = &[b"barrier=0", b"nobarrier", b"# xvdguard: was ", b"ext4", b"/dev/xvda"];
    parser("fstab", &FSTAB, words, |bytes| {
        let fstab = Fstab::parse(bytes);
        must(fstab.to_bytes() == bytes, "fstab is printed as it was read")?;
        fstab.broken_lines().for_each(|broken| drop(broken.text.to_string()));
        for entry in fstab.entries().take(3) {
            edit_and_restore(&fstab, entry.line)?;
            judge(entry)?;
        }
        Ok(fstab.entries().next().is_some())
    })
}

fn edit_and_restore(fstab: &Fstab, line: usize) -> Result<(), String> {
    let Ok(edited) = fstab.edit(&[(line, Edit::BarrierOff)]) else { return Ok(()) };
    if edited.changes.is_empty() {
        return Ok(());
    }
    // The mark above it has moved the line down.
    let restored = edited.fstab.edit(&[(line + 1, Edit::Restore)]);
    let restored = restored.map_err(|why| format!("what was edited is taken back: {why:?}"))?;
    must(restored.fstab == *fstab, "what was edited is taken back to the byte")
}

const KERNELS: [&str; 4] = ["2.6.18-274.el5", "3.10.0-1160.el7", "5.10.0-30-amd64", "6.12.107"];

/// No kernel is promised more of an option than the strictest of them gives.
fn judge(entry: &Entry) -> Result<(), String> {
    let kernels: Vec<KernelRelease> =
        KERNELS.iter().filter_map(|name| KernelRelease::parse(&Text::from(*name))).collect();
    for word in entry.options.words().iter().take(8) {
        let all = predict_all(&entry.fstype, &kernels, word, When::Mount);
        for kernel in &kernels {
            let grammar = Grammar::new(&entry.fstype, kernel);
            let one = grammar.predict(word, When::Mount);
            must(
                one != Prediction::Refused || all == Prediction::Refused,
                "one refusal is enough",
            )?;
            grammar.barriers(&entry.options.words());
        }
    }
    Ok(())
}
