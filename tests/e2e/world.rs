//! One test's own computer: home folder, display, message bus, keychain and a browser that only notes the link.

use crate::processes::Program;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Everything around the window. The programs end with it, the last one first.
pub(crate) struct World {
    programs: Vec<Program>,
    environment: Vec<(&'static str, String)>,
    folder: TempDir,
}

/// Whether the computer has a keychain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keychain {
    Unlocked,
    Missing,
}

impl World {
    /// Starts it all.
    pub(crate) fn new(keychain: Keychain) -> Self {
        let mut world = Self {
            programs: Vec::new(),
            environment: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        };
        world.make_home();
        world.make_browser();
        let (display, number) = Program::start_and_read_line(Command::new("Xvfb").args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x900x24",
            "-nolisten",
            "tcp",
        ]));
        world.programs.push(display);
        world.environment.push(("DISPLAY", format!(":{number}")));
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--nopidfile", "--print-address=1"]);
        // Without service files, nothing starts by itself: a missing keychain stays missing.
        bus.arg(format!("--config-file={}", world.bus_config().display()));
        bus.envs(world.environment.iter().map(|(name, value)| (*name, value)));
        let (bus, address) = Program::start_and_read_line(&mut bus);
        world.programs.push(bus);
        world
            .environment
            .push(("DBUS_SESSION_BUS_ADDRESS", address));
        if keychain == Keychain::Unlocked {
            let mut daemon = Command::new("gnome-keyring-daemon");
            daemon.args(["--foreground", "--unlock", "--components=secrets"]);
            daemon.envs(world.environment.iter().map(|(name, value)| (*name, value)));
            world
                .programs
                .push(Program::start_with_input(&mut daemon, "practice"));
            world.wait_for_keychain();
        }
        world
    }

    /// A program that asks too early is told that there is no keychain.
    fn wait_for_keychain(&self) {
        let mut ask = self.command("dbus-send");
        ask.args([
            "--session",
            "--print-reply",
            "--dest=org.freedesktop.secrets",
            "/org/freedesktop/secrets/aliases/default",
            "org.freedesktop.DBus.Peer.Ping",
        ]);
        let began = Instant::now();
        while !ask.output().unwrap().status.success() {
            assert!(began.elapsed() < Duration::from_secs(20), "no keychain");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Mailroom's data folder.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for what tests need besides.
    pub(crate) fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// `command` in this world.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.envs(self.environment.iter().map(|(name, value)| (*name, value)));
        command
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("BROWSER")
            .env_remove("MAILROOM_BROWSER");
        command
    }

    /// Lets programs that are started from now on trust `authority` (PEM), and no other.
    pub(crate) fn trust(&mut self, authority: &str) {
        let file = self.folder.path().join("authority.pem");
        std::fs::write(&file, authority).unwrap();
        let file = file.to_string_lossy().into_owned();
        self.environment.push(("SSL_CERT_FILE", file));
    }

    /// Keeps a program running for as long as the world.
    pub(crate) fn keep(&mut self, program: Program) {
        self.programs.push(program);
    }

    /// Waits for the link that the window hands to the system's browser.
    pub(crate) async fn opened_link(&self) -> String {
        let file = self.folder.path().join("opened-link");
        let link = until("the browser is opened", || {
            std::fs::read_to_string(&file).ok()
        })
        .await;
        std::fs::remove_file(file).unwrap();
        link
    }

    fn make_home(&mut self) {
        let home = self.folder.path().join("home");
        for (name, part) in [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "share"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_RUNTIME_DIR", "run"),
        ] {
            let folder = home.join(part);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
            self.environment
                .push((name, folder.to_string_lossy().into_owned()));
        }
        self.environment.push((
            "MAILROOM_DATA_DIR",
            self.data_dir().to_string_lossy().into_owned(),
        ));
        self.environment.push(("LC_ALL", "C.UTF-8".to_owned()));
    }

    /// A stand-in for `xdg-open` that writes the link to a file: with a display the real one ignores
    /// `BROWSER` and starts a desktop's browser.
    fn make_browser(&mut self) {
        let programs = self.folder.path().join("bin");
        std::fs::create_dir_all(&programs).unwrap();
        let file = self.folder.path().join("opened-link");
        let script = format!(
            "#!/bin/sh\nprintf %s \"$1\" > {0}.new && mv {0}.new {0}\n",
            file.display()
        );
        let stub = programs.join("xdg-open");
        std::fs::write(&stub, script).unwrap();
        std::fs::set_permissions(&stub, PermissionsExt::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        self.environment
            .push(("PATH", format!("{}:{path}", programs.display())));
    }

    fn bus_config(&self) -> PathBuf {
        let path = self.folder.path().join("bus.conf");
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig><type>session</type>\
             <listen>unix:dir={}</listen><policy context=\"default\"><allow send_destination=\"*\" \
             eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>\n",
            self.folder.path().join("home/run").display()
        );
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for World {
    fn drop(&mut self) {
        while self.programs.pop().is_some() {}
    }
}

/// Asks until there is an answer, for at most 60 seconds.
pub(crate) async fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            began.elapsed() < Duration::from_mins(1),
            "waited in vain until {what}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
