//! `cargo xtask run`: from a fresh clone to the open window, or to the same job in the terminal.

use crate::{npm, packages, place, process, rust};
use std::process::Command;

/// Sets up, builds and starts; `args` go to the program.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    packages::ensure(&[packages::BUILD])?;
    if has_display() {
        window(args)
    } else {
        println!(
            "There is no display here (DISPLAY and WAYLAND_DISPLAY are not set), so no window can open.\n\
             Mailroom does the same job in this terminal instead: it starts the practice tenant, connects\n\
             a mailbox, imports its newest 300 mails and ends with a status table.\n"
        );
        terminal(args)
    }
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn window(args: &[String]) -> Result<(), String> {
    packages::ensure(&[packages::WINDOW])?;
    npm::install()?;
    npm::build()?;
    process::run(rust::cargo("build").args([
        "--locked",
        "-p",
        "mailroom-desktop",
        "--features",
        "gui",
    ]))?;
    process::run(Command::new(place::built("mailroom-desktop")).args(args))
}

fn terminal(args: &[String]) -> Result<(), String> {
    process::run(rust::cargo("build").args(["--locked", "-p", "mailroom-cli"]))?;
    process::run(
        Command::new(place::built("mailroom"))
            .arg("practice")
            .args(args),
    )
}
