//! `xvdguard-early`: xvdguard before root is mounted, and the helper of the udev rule.
//!
//! Started by hooks that must not fail: `boot` ends within its deadline and with 0, whatever
//! happens, and never leaves anything of the caller's open in a child.

mod arguments;
mod boot;
mod options;
mod policy;
mod queue;

use std::io::Write;
use std::process::ExitCode;

use arguments::Command;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn main() -> ExitCode {
    // std's own walks the stack, and what it needs for that is not shipped: initramfs/early/slim.
    std::panic::set_hook(Box::new(|panic| say(&format!("xvdguard-early: {panic}\n"))));
    let command = match arguments::parse(std::env::args_os()) {
        Ok(command) => command,
        Err(why) => {
            say(&format!("xvdguard-early: error: {why}\n{}", arguments::USAGE));
            // A hook that an upgrade left behind may use other words: it must not stop the boot.
            return if arguments::is_boot(std::env::args_os()) {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(arguments::EXIT_USAGE)
            };
        }
    };
    match command {
        Command::Boot(options) => {
            boot::supervise(&options);
            ExitCode::SUCCESS
        }
        Command::Queue(options) => {
            print(&queue::lines(&options));
            ExitCode::SUCCESS
        }
        Command::Show(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
    }
}

/// A closed pipe is no reason to fail.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}
