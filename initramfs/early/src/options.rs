//! The one line that reaches a shell: mount options for root.
//!
//! Only ever empty or made of characters that no shell and no mount(8) gives a meaning to.

use xvdguard_logic::command_line::join_options;
use xvdguard_logic::text::Text;

use crate::arguments::Format;

/// Whether a line may reach a shell.
pub fn is_safe(line: &str) -> bool {
    line.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=,._:-".contains(&byte))
}

/// The line for a reader; the error says why root keeps its options.
pub fn line(format: Format, have: &Text, needs_barrier_0: bool) -> Result<String, String> {
    if !needs_barrier_0 {
        return Ok(String::new());
    }
    // initramfs-tools keeps "-o " in ROOTFLAGS.
    let have = have.as_bytes();
    let have = Text::from(have.strip_prefix(b"-o ").unwrap_or(have).trim_ascii());
    let line = match format {
        Format::InitramfsTools => join_options(&have, "barrier=0"),
        Format::Dracut | Format::Plain => "barrier=0".into(),
    };
    if is_safe(&line) {
        return Ok(line);
    }
    Err(format!(
        "root's options \"{have}\" hold characters that cannot be handed on safely: root is \
         mounted as it is. Do: add barrier=0 to rootflags= yourself"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: Format, have: &str) -> Result<String, String> {
        line(format, &Text::from(have), true)
    }

    #[test]
    fn each_reader_gets_what_it_needs() {
        assert_eq!(shown(Format::InitramfsTools, "-o noatime"), Ok("noatime,barrier=0".into()));
        assert_eq!(shown(Format::InitramfsTools, ""), Ok("barrier=0".into()));
        assert_eq!(shown(Format::Dracut, "noatime"), Ok("barrier=0".into()));
        assert_eq!(line(Format::Plain, &"x".into(), false), Ok(String::new()));
    }

    #[test]
    fn what_a_shell_could_obey_is_never_written() {
        for have in ["a;reboot", "context=\"x\"", "$(x)", "a b", "a\nb", "ü"] {
            assert!(shown(Format::InitramfsTools, have).is_err(), "{have}");
            assert_eq!(shown(Format::Dracut, have), Ok("barrier=0".into()));
        }
    }
}
