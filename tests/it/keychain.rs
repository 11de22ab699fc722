//! The operating system's keychain for real: a gnome-keyring on a session bus of its own.
//!
//! Where the bus is comes from the environment, so what is tested runs in a child: this test program again.
#![cfg(target_os = "linux")]

use mailroom_core::secrets::{Key, OsKeychain, Secrets, SecretsError};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Tells the child what to do.
const STEPS: &str = "MAILROOM_TEST_KEYCHAIN_STEPS";

/// How long a daemon may take to start.
const START: Duration = Duration::from_secs(20);

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A session bus that starts no services by itself.
struct Bus {
    _daemon: Running,
    address: String,
    home: tempfile::TempDir,
}

impl Bus {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let config = home.path().join("bus.conf");
        fs::write(
            &config,
            format!(
                "<busconfig><type>session</type><listen>unix:dir={}</listen>
                 <policy context=\"default\"><allow send_destination=\"*\"/>
                 <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy>
                 </busconfig>",
                home.path().display()
            ),
        )
        .unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        Self {
            _daemon: Running(daemon),
            address: address.trim().to_owned(),
            home,
        }
    }

    /// Starts a keychain whose login keyring is made with, or unlocked by, this password.
    fn keychain(&self, password: &str) -> Running {
        let mut daemon = environment(
            &mut Command::new("gnome-keyring-daemon"),
            self.home.path(),
            Some(&self.address),
        )
        .args(["--foreground", "--unlock", "--components=secrets"])
        .arg(format!(
            "--control-directory={}",
            self.home.path().display()
        ))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("gnome-keyring is installed");
        let mut stdin = daemon.stdin.take().unwrap();
        stdin.write_all(password.as_bytes()).unwrap();
        Running(daemon)
    }

    fn child(&self, steps: &str) -> Running {
        child(self.home.path(), Some(&self.address), steps)
    }
}

/// No display (nobody could answer a prompt), no other bus, no other home.
fn environment<'a>(command: &'a mut Command, home: &Path, bus: Option<&str>) -> &'a mut Command {
    command
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home)
        .env("XDG_DATA_HOME", home.join("data"))
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .envs(bus.map(|address| ("DBUS_SESSION_BUS_ADDRESS", address)))
}

fn child(home: &Path, bus: Option<&str>, steps: &str) -> Running {
    let program = std::env::current_exe().unwrap();
    let child = environment(&mut Command::new(program), home, bus)
        .args([
            "keychain::in_a_child",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env(STEPS, steps)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    Running(child)
}

/// What the steps came to, one word each.
fn outcome(mut child: Running) -> Vec<String> {
    let stdout = BufReader::new(child.0.stdout.take().unwrap());
    let lines = stdout.lines().map(Result::unwrap);
    let words = lines.filter_map(|line| Some(line.split_once("outcome: ")?.1.to_owned()));
    words.collect()
}

/// Not a test of its own: the child's side.
#[test]
#[ignore = "started by the tests here"]
fn in_a_child() {
    let Ok(steps) = std::env::var(STEPS) else {
        return;
    };
    std::thread::spawn(|| {
        std::thread::sleep(2 * START);
        eprintln!("a step hangs");
        std::process::exit(1);
    });
    let keychain = OsKeychain::new("test".to_owned());
    for step in steps.split(' ') {
        let begun = Instant::now();
        let word = loop {
            let result = match step {
                "save" | "save-when-there" => keychain
                    .save(&Key::new([7; 32]))
                    .map(|()| "saved".to_owned()),
                "remove" => keychain.remove().map(|()| "removed".to_owned()),
                _ => keychain.load().map(|key| match key {
                    Some(key) if *key == [7; 32] => "found".to_owned(),
                    Some(_) => "another".to_owned(),
                    None => "nothing".to_owned(),
                }),
            };
            let absent = matches!(result, Err(SecretsError::NoKeychain(_)));
            if absent && step.ends_with("-when-there") && begun.elapsed() < START {
                std::thread::sleep(Duration::from_millis(50));
                continue;
            }
            break result.unwrap_or_else(|error| {
                let kind = match &error {
                    SecretsError::NoKeychain(_) => "no-keychain",
                    SecretsError::Locked(_) => "locked",
                    SecretsError::Damaged => "damaged",
                    SecretsError::WrongPassphrase | SecretsError::File(_) => "other",
                };
                eprintln!("{step}: {error}");
                kind.to_owned()
            });
        };
        println!("outcome: {word}");
    }
}

#[test]
fn a_keychain_keeps_the_key_and_one_that_starts_late_is_found() {
    let bus = Bus::start();
    let mut child = bus.child("load save-when-there load remove load remove save");
    // Only start the keychain once the child has seen that there is none.
    let mut stdout = BufReader::new(child.0.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("outcome: ") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "the child ended");
    }
    assert!(line.ends_with("outcome: no-keychain\n"), "{line}");
    let keychain = bus.keychain("right");
    let words: Vec<String> = stdout
        .lines()
        .map(Result::unwrap)
        .filter_map(|line| Some(line.strip_prefix("outcome: ")?.to_owned()))
        .collect();
    assert_eq!(
        words,
        ["saved", "found", "removed", "nothing", "removed", "saved"]
    );

    // The next session unlocks it with the right password only.
    drop(keychain);
    let keychain = bus.keychain("wrong");
    assert_eq!(
        outcome(bus.child("load-when-there save remove")),
        ["locked", "locked", "locked"]
    );
    drop(keychain);
    let _keychain = bus.keychain("right");
    assert_eq!(outcome(bus.child("load-when-there")), ["found"]);
}

#[test]
fn a_computer_without_a_bus_has_no_keychain() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(
        outcome(child(home.path(), None, "load save remove")),
        ["no-keychain", "no-keychain", "no-keychain"]
    );
}
