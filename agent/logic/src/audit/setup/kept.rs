//! What a recording keeps of a file: what some rule looks at, and no secret.
//!
//! Cron tables, configurations of initiators and of guests hold passwords. Of them only the lines
//! that a rule may be about are kept; the others become empty, so that line numbers stay.

use alloc::vec::Vec;

use super::wanted::Kind;
use super::{File, kernel_lines, lines, parameters};
use crate::text::Text;

/// Options of network file systems that hold a password (mount.cifs(8), mount.davfs(8)).
const SECRETS: [&[u8]; 4] = [b"pass=", b"password=", b"passwd=", b"password2="];

/// The content of a file as a recording keeps it.
pub fn kept(file: &File) -> Option<Text> {
    let content = file.content.as_ref()?.as_bytes();
    let keep = |line| {
        let alone = File { content: Some(Text::from(line)), ..file.clone() };
        if is_kept(&alone, line) { line } else { &b""[..] }
    };
    let lines: Vec<&[u8]> = content.split(|byte| *byte == b'\n').map(keep).collect();
    Some(Text::from(lines.join(&b'\n')))
}

/// Whether a file that holds only this line would tell a rule anything.
fn is_kept(alone: &File, line: &[u8]) -> bool {
    let holds = |secret: &&[u8]| line.windows(secret.len()).any(|window| window == *secret);
    match alone.kind {
        Kind::Fstab | Kind::MountUnit => !SECRETS.iter().any(holds),
        Kind::Boot(form) => !kernel_lines::read(alone, form).is_empty(),
        Kind::Modprobe => !parameters::module_options(alone).is_empty(),
        Kind::Sysctl => {
            !parameters::from_file(alone).is_empty() || !lines::of_interest(alone).is_empty()
        }
        Kind::Lines(_) => !lines::of_interest(alone).is_empty(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::LineKind;
    use super::*;

    fn kept_of(kind: Kind, content: &str) -> alloc::string::String {
        let content = Some(Text::from(content));
        let file = File { path: "x".into(), kind, content, is_readable: true };
        kept(&file).unwrap().as_str().unwrap().into()
    }

    #[test]
    fn passwords_are_left_out_and_line_numbers_stay() {
        let iscsid = "node.session.auth.password = geheim\n\
            node.conn[0].timeo.noop_out_timeout = 120\n";
        let expected = "\nnode.conn[0].timeo.noop_out_timeout = 120\n";
        assert_eq!(kept_of(Kind::Lines(LineKind::Iscsid), iscsid), expected);
        let cron =
            "MAILTO=x\n* * * * * root curl -u a:geheim h\n* * * * * root mount -o remount,rw /";
        let expected = "\n\n* * * * * root mount -o remount,rw /";
        assert_eq!(kept_of(Kind::Lines(LineKind::Script), cron), expected);
        let fstab =
            "/dev/xvda1 / ext4 defaults 0 1\n//h/s /s cifs username=a,password=geheim 0 0\n";
        assert_eq!(kept_of(Kind::Fstab, fstab), "/dev/xvda1 / ext4 defaults 0 1\n\n");
        let grub = "password_pbkdf2 root grub.geheim\n  linux /vmlinuz root=/dev/xvda1\n";
        let expected = "\n  linux /vmlinuz root=/dev/xvda1\n";
        let form = super::super::wanted::BootForm::Directive;
        assert_eq!(kept_of(Kind::Boot(form), grub), expected);
    }
}
