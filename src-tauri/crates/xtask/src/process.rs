//! Running other programs.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs `command` with its output going straight to the terminal; an error says which command failed.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|error| format!("{}: {error}", line(command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} ended with {status}", line(command)))
    }
}

/// Runs `command`, shows its output as it comes, and returns whether it succeeded and what it printed on stdout.
pub(crate) fn tee(command: &mut Command) -> Result<(bool, String), String> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", line(command)))?;
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        for piece in BufReader::new(stdout).split(b'\n') {
            let piece = piece.map_err(|error| error.to_string())?;
            let piece = String::from_utf8_lossy(&piece);
            println!("{piece}");
            text.push_str(&piece);
            text.push('\n');
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    Ok((status.success(), text))
}

/// Runs `command` quietly and returns its stdout, or nothing when it could not be run at all.
pub(crate) fn read(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether `command` runs and succeeds, quietly.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Where `program` is in PATH.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)))
        .find(|candidate| candidate.is_file())
}

/// The command in words: the program without its folder, and its arguments.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    std::iter::once(program.file_name().unwrap_or(program.as_os_str()))
        .chain(command.get_args())
        .map(|part| part.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_command_that_failed() {
        let error = run(Command::new("cargo")
            .arg("no-such-task")
            .stderr(Stdio::null()));
        assert!(
            error
                .unwrap_err()
                .starts_with("cargo no-such-task ended with")
        );
    }

    #[test]
    fn keeps_what_was_printed() {
        let (ok, text) = tee(Command::new("cargo").arg("--version")).unwrap();
        assert!(ok);
        assert!(text.starts_with("cargo "));
    }
}
