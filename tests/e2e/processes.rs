//! Programs that a test starts and that end with it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A started program with everything it starts itself.
pub(crate) struct Program(Child);

impl Program {
    /// Starts `command` in a process group of its own, quietly.
    pub(crate) fn start(command: &mut Command) -> Self {
        let name = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        Self(child.unwrap_or_else(|error| panic!("{}: {error}", name.display())))
    }

    /// Starts `command` and returns the first line that it prints.
    pub(crate) fn start_and_read_line(command: &mut Command) -> (Self, String) {
        let name = command.get_program().to_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", name.display()));
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        assert!(!line.trim().is_empty(), "{} ended at once", name.display());
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        (Self(child), line.trim().to_owned())
    }

    /// Starts `command` with `input` on its standard input.
    pub(crate) fn start_with_input(command: &mut Command, input: &str) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        Self(child)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let group = format!("-{}", self.0.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).status();
        let _ = self.0.wait();
    }
}

/// A port that is free at this moment.
pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}
