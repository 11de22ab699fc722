//! The project's own tasks: `cargo xtask run`, `cargo xtask test` and a few smaller ones.
//! Plain std on purpose: it must compile in seconds on a machine that has nothing but cargo.

// Everything here is said to a person at a terminal or to a CI log.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod bench;
mod bindings;
mod count;
mod npm;
mod packages;
mod place;
mod process;
mod run;
mod rust;
mod stages;
mod stamp;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <task>

  run [-- ARGS…]        set everything up, build, and open the window
                        (without a display: the same job in the terminal)
  test [--only STAGE]…  set everything up and run every check and test
  test --list           name the stages
  setup                 only the set-up: system packages, npm packages, UI build
  bindings [--check]    write ui/src/bindings.ts from the core's types
  pictures              take pictures of the real window into target/pictures
  bench [-- ARGS…]      measure imports (optimised build)
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match args.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("", [].as_slice()),
    };
    let result = match task {
        "run" => run::run(after_dashes(rest)),
        "test" => stages::test(rest),
        "setup" => set_up(),
        "pictures" => stages::pictures(),
        "bindings" => bindings::task(rest),
        "bench" => bench::run(after_dashes(rest)),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn after_dashes(args: &[String]) -> &[String] {
    match args.split_first() {
        Some((first, rest)) if first == "--" => rest,
        _ => args,
    }
}

fn set_up() -> Result<(), String> {
    packages::ensure(&[packages::BUILD, packages::WINDOW, packages::TEST])?;
    npm::install()?;
    npm::install_issuer()?;
    npm::build()
}
