//! A terminal with a practice tenant behind it.

use crate::world::SUPPORT;
use mailroom_sandbox::visitor::Visitor;
use mailroom_sandbox::{Description, Options, Sandbox};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

pub(super) const PASSPHRASE: &str = "CANARY correct horse battery";
/// No command may take longer: none waits for somebody.
const PATIENCE: Duration = Duration::from_secs(60);
/// The account that the browser signs in with.
const LOGIN: &str = "MAILROOM_TEST_LOGIN";
const PASSWORD: &str = "MAILROOM_TEST_PASSWORD";
/// Set where the person presses Cancel.
const DECLINES: &str = "MAILROOM_TEST_DECLINES";

/// What a command left behind.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Answer {
    /// Standard output as the one JSON document that it must be.
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

pub(super) struct Terminal {
    /// Runs as long as this value.
    _sandbox: Sandbox,
    pub(super) tenant: Description,
    pub(super) folder: TempDir,
    /// Who sits at the browser.
    pub(super) login: String,
    /// Where sign-in and Graph are found; a proxy may stand in between.
    pub(super) endpoint: String,
    pub(super) log: &'static str,
    pub(super) declines: bool,
}

impl Terminal {
    pub(super) async fn new(scenarios: &[&str]) -> Self {
        let sandbox = Sandbox::start(Options {
            scenarios: scenarios.iter().map(ToString::to_string).collect(),
            ..Options::default()
        })
        .await
        .unwrap();
        let tenant = sandbox.description().clone();
        Self {
            _sandbox: sandbox,
            endpoint: tenant.authority.clone(),
            tenant,
            folder: tempfile::tempdir().unwrap(),
            login: SUPPORT.to_owned(),
            log: "error",
            declines: false,
        }
    }

    /// The browser command: this test program.
    pub(super) fn browser(&self) -> String {
        let program = std::env::current_exe().unwrap();
        format!(
            "'{}' cli::terminal::walks_the_sign_in_pages --exact --ignored",
            program.display()
        )
    }

    /// `connect` with all it needs here.
    pub(super) fn connect<'a>(&self, address: &'a str) -> Vec<&'a str> {
        let leaked = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
        vec![
            "connect",
            address,
            "--authority",
            leaked(&self.endpoint),
            "--graph-url",
            leaked(&self.endpoint),
            "--client-id",
            leaked(&self.tenant.client_id),
            "--tenant",
            leaked(&self.tenant.tenant),
            "--browser",
            leaked(&self.browser()),
        ]
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let user = self
            .tenant
            .users
            .iter()
            .find(|user| user.address == self.login)
            .unwrap();
        let mut command = program();
        command
            .args(args)
            .arg("--data-dir")
            .arg(self.folder.path())
            .args(["--secrets", "file"])
            .env("MAILROOM_PASSPHRASE", PASSPHRASE)
            .env("MAILROOM_LOG", self.log)
            .env(LOGIN, &user.login)
            .env(PASSWORD, &user.password);
        if self.declines {
            command.env(DECLINES, "1");
        }
        command
    }

    pub(super) async fn run(&self, args: &[&str]) -> Answer {
        answer(self.command(args)).await
    }

    /// As [`Terminal::run`], with something on standard input.
    pub(super) async fn type_in(&self, args: &[&str], typed: &str) -> Answer {
        typed_into(self.command(args), typed).await
    }

    pub(super) async fn deliver(&self, mail: &str) {
        let url = format!(
            "{}/_sandbox/deliver?mailbox={SUPPORT}",
            self.tenant.authority
        );
        let sent = reqwest::Client::new()
            .post(url)
            .body(mail.replace('\n', "\r\n"));
        assert!(sent.send().await.unwrap().status().is_success());
    }

    pub(super) async fn control(&self, method: reqwest::Method, path: &str) {
        let url = format!("{}/_sandbox/{path}", self.tenant.authority);
        let sent = reqwest::Client::new()
            .request(method, url)
            .body("{}")
            .send();
        assert!(sent.await.unwrap().status().is_success());
    }
}

/// `mailroom` with nothing of this process's own settings. Standard input is a pipe that stays open and silent:
/// a program that asks something waits for ever.
pub(super) fn program() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let mut command = Command::new(PROGRAM.get_or_init(find));
    for name in [
        "MAILROOM_DATA_DIR",
        "MAILROOM_SECRETS",
        "BROWSER",
        "MAILROOM_CLIENT_ID",
    ] {
        command.env_remove(name);
    }
    command.stdin(Stdio::piped()).kill_on_drop(true);
    command
}

/// Beside this test program, unless `MAILROOM_CLI` names it; built if it is not there.
fn find() -> PathBuf {
    if let Some(named) = std::env::var_os("MAILROOM_CLI") {
        return named.into();
    }
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(|deps| deps.parent()).unwrap();
    let program = folder.join(format!("mailroom{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let built = std::process::Command::new(env!("CARGO"))
            .args(["build", "--locked", "-p", "mailroom-cli"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .unwrap();
        assert!(built.success());
    }
    program
}

/// Runs a command to its end.
pub(super) async fn answer(command: Command) -> Answer {
    typed_into(command, "").await
}

/// Runs a command to its end, with `typed` on its standard input.
async fn typed_into(mut command: Command, typed: &str) -> Answer {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Held open until the program has ended.
    let mut stdin = child.stdin.take();
    if let Some(line) = stdin.as_mut().filter(|_| !typed.is_empty()) {
        // A program that does not ask may have ended already.
        let _ = line.write_all(typed.as_bytes()).await;
    }
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    drop(stdin);
    let output = output.expect("the command ends").unwrap();
    Answer {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Asks a program to end, as systemd does.
pub(super) fn terminate(child: &Child) {
    let pid = child.id().unwrap().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(sent.unwrap().success());
}

/// The browser: gets the link as its last argument.
#[tokio::test]
#[ignore = "a browser for the tests above"]
async fn walks_the_sign_in_pages() {
    let Ok(login) = std::env::var(LOGIN) else {
        return;
    };
    let url = std::env::args().next_back().unwrap();
    let mut visitor = Visitor::new(&login, &std::env::var(PASSWORD).unwrap());
    visitor.declines = std::env::var_os(DECLINES).is_some();
    visitor.visit(&url).await.unwrap();
}
