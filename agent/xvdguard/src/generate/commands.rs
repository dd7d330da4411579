//! The commands of xvdguard with their options, as `--help` has them.

use crate::arguments::Interface;
use crate::roff;

/// The options that every command takes.
pub fn options(interface: &Interface) -> String {
    items(interface, |_, _| true)
}

/// A section for each command.
pub fn sections(interface: &Interface) -> String {
    interface.get_subcommands().map(|command| section(&[], command)).collect()
}

fn section(above: &[&str], command: &Interface) -> String {
    let words = [above, &[command.get_name()]].concat();
    let below: String = command.get_subcommands().map(|one| section(&words, one)).collect();
    let values = command.get_positionals().map(|one| format!(" {}", one));
    let title = words.join(" ") + &values.collect::<String>();
    let about = command.get_long_about().or(command.get_about());
    let about = roff::text(&about.map(ToString::to_string).unwrap_or_default());
    let own = items(command, |is_positional, is_global| is_positional || !is_global);
    roff::section(&title, &(about + &own)) + &below
}

/// A paragraph for each argument that is wanted: is it positional, and is it one of every command?
fn items(command: &Interface, wants: fn(bool, bool) -> bool) -> String {
    let is_common = |name: &str, is_global| is_global || name == "help" || name == "version";
    let wanted = command.get_arguments().filter(|one| {
        wants(one.is_positional(), is_common(one.get_id().as_str(), one.is_global_set()))
    });
    let item = |(term, help): (String, String)| roff::item(&term, &help);
    let described = wanted.map(|one| {
        let short = one.get_short().map(|short| format!("-{short}, ")).unwrap_or_default();
        let help = one.get_help().map(ToString::to_string).unwrap_or_default();
        (format!("{short}{one}"), help)
    });
    described.map(item).collect()
}
