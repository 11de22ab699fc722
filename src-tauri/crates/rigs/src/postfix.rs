//! Debian's Postfix with a queue of its own; it asks Dovecot about passwords and delivers into Dovecot's Maildir.

use crate::dovecot::Dovecot;
use crate::{Papers, free_port, wait};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Who may send as whom.
pub const SENDERS: &str = "support@contoso.example support\nsales@contoso.example support\n\
    info@contoso.example somebody-else\n";
/// Largest message in bytes.
pub const SIZE_LIMIT: usize = 200_000;

/// What Postfix is told beside the usual.
#[derive(Default)]
pub struct Ways<'a> {
    /// Lines for `main.cf`, which win over the usual ones.
    pub settings: &'a str,
    /// Other papers than Dovecot's.
    pub papers: Option<&'a Papers>,
}

/// A running server.
pub struct Postfix {
    /// STARTTLS.
    pub submission: u16,
    /// TLS from the first byte.
    pub smtps: u16,
    folder: TempDir,
    process: Option<Child>,
}

/// Whether Postfix can be started. It changes users, so only root can. Whoever is not root hears about it in every run.
pub fn is_possible() -> bool {
    let folder = tempfile::tempdir().unwrap();
    if fs::metadata(folder.path()).unwrap().uid() == 0 {
        return true;
    }
    let words = "Sending is tested with a real Postfix, which only root can start. Run these tests as root \
        (CI does), or set MAILROOM_WITHOUT_POSTFIX=1 to leave them out.";
    assert!(
        std::env::var_os("MAILROOM_WITHOUT_POSTFIX").is_some(),
        "{words}"
    );
    // Straight to the terminal: what a test that passes prints is not shown.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), b"LEFT OUT: a test with Postfix\n");
    false
}

impl Postfix {
    /// One that shows Dovecot's papers unless `ways` names others.
    pub async fn start(dovecot: &Dovecot, ways: Ways<'_>) -> Self {
        let folder = tempfile::Builder::new().prefix("pf").tempdir().unwrap();
        let mut server = Self {
            submission: free_port(),
            smtps: free_port(),
            folder,
            process: None,
        };
        server.write_files(dovecot, &ways);
        server.run().await;
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Ends it and starts it again at the same ports, in other ways.
    pub async fn change(&mut self, dovecot: &Dovecot, ways: Ways<'_>) {
        self.stop().await;
        self.write_settings(dovecot, &ways);
        self.run().await;
    }

    /// Ends it: nobody answers at its ports.
    pub async fn stop(&mut self) {
        self.end();
        for port in [self.submission, self.smtps] {
            wait("Postfix is gone", async || {
                let line = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
                line.is_err().then_some(())
            })
            .await;
        }
    }

    fn write_files(&self, dovecot: &Dovecot, ways: &Ways<'_>) {
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["queue", "data", "conf"] {
            fs::create_dir(self.path(name)).unwrap();
        }
        let owner = Command::new("chown")
            .arg("postfix")
            .arg(self.path("data"))
            .status();
        assert!(owner.unwrap().success(), "the user postfix exists");
        self.write_settings(dovecot, ways);
    }

    fn write_settings(&self, dovecot: &Dovecot, ways: &Ways<'_>) {
        let papers = ways.papers.unwrap_or(&dovecot.papers);
        let chain = format!("{}{}", papers.key, papers.certificate);
        fs::write(self.path("conf/chain.pem"), chain).unwrap();
        fs::set_permissions(
            self.path("conf/chain.pem"),
            fs::Permissions::from_mode(0o600),
        )
        .unwrap();
        fs::write(self.path("conf/senders"), SENDERS).unwrap();
        let boxes = ["support", "sales"].map(|name| format!("{name}@contoso.example support/\n"));
        fs::write(self.path("conf/boxes"), boxes.concat()).unwrap();
        fs::write(self.path("conf/main.cf"), self.main(dovecot, ways.settings)).unwrap();
        fs::write(self.path("conf/master.cf"), self.master()).unwrap();
    }

    fn main(&self, dovecot: &Dovecot, settings: &str) -> String {
        let dir = self.folder.path().display();
        let mail = dovecot.mail_folder();
        let (mail, sasl, owner) = (mail.display(), dovecot.sasl_socket(), dovecot.owner());
        let sasl = sasl.display();
        let mut main = format!(
            "compatibility_level = 3.6\nqueue_directory = {dir}/queue\ndata_directory = {dir}/data\n\
             maillog_file_prefixes = {dir}\nmaillog_file = {dir}/log\n\
             inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.contoso.example\n\
             mydestination =\nmynetworks =\nalias_maps =\nalias_database =\nlocal_recipient_maps =\nbiff = no\n\
             virtual_mailbox_domains = contoso.example\nvirtual_mailbox_base = {mail}\n\
             virtual_mailbox_maps = texthash:{dir}/conf/boxes\nvirtual_mailbox_limit = 0\nvirtual_minimum_uid = 1\n\
             virtual_uid_maps = static:{owner}\nvirtual_gid_maps = static:{owner}\nmailbox_size_limit = 0\n\
             smtpd_tls_chain_files = {dir}/conf/chain.pem\nsmtpd_tls_security_level = encrypt\n\
             smtpd_tls_auth_only = yes\nsmtp_tls_security_level = none\n\
             smtpd_sasl_type = dovecot\nsmtpd_sasl_path = {sasl}\nsmtpd_sasl_auth_enable = yes\n\
             smtpd_sender_login_maps = texthash:{dir}/conf/senders\n\
             smtpd_sender_restrictions = reject_sender_login_mismatch\n\
             smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination\n\
             message_size_limit = {SIZE_LIMIT}\nsmtpd_client_event_limit_exceptions =\n"
        );
        for setting in settings.lines() {
            let name = setting.split(" =").next().unwrap_or_default();
            let usual = |line: &&str| !line.starts_with(&format!("{name} ="));
            main = main.lines().filter(usual).collect::<Vec<_>>().join("\n");
            writeln!(main, "\n{setting}").unwrap();
        }
        main
    }

    fn master(&self) -> String {
        let (submission, smtps) = (self.submission, self.smtps);
        let mut master = format!(
            "127.0.0.1:{submission} inet n - n - - smtpd\n\
             127.0.0.1:{smtps} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
        );
        for (name, kind, limit, program) in [
            ("cleanup", "unix", "0", "cleanup"),
            ("qmgr", "unix", "1", "qmgr"),
            ("tlsmgr", "unix", "1", "tlsmgr"),
            ("rewrite", "unix", "-", "trivial-rewrite"),
            ("bounce", "unix", "0", "bounce"),
            ("defer", "unix", "0", "bounce"),
            ("trace", "unix", "0", "bounce"),
            ("proxymap", "unix", "-", "proxymap"),
            ("error", "unix", "-", "error"),
            ("retry", "unix", "-", "error"),
            ("virtual", "unix", "-", "virtual"),
            ("anvil", "unix", "1", "anvil"),
            ("postlog", "unix-dgram", "1", "postlogd"),
        ] {
            let is_public = matches!(name, "cleanup" | "qmgr" | "postlog");
            let private = if is_public { "n" } else { "-" };
            // Delivery changes users by itself.
            let plain = if name == "virtual" { "n" } else { "-" };
            let wake = match name {
                "qmgr" => "300",
                "tlsmgr" => "1000?",
                _ => "-",
            };
            writeln!(
                master,
                "{name} {kind} {private} {plain} n {wake} {limit} {program}"
            )
            .unwrap();
        }
        master
    }

    /// Starts it, or starts it again.
    pub async fn run(&mut self) {
        let program = ["/usr/sbin/postfix", "postfix"]
            .into_iter()
            .find(|program| Path::new(program).is_file())
            .unwrap_or("postfix");
        let child = Command::new(program)
            .arg("-c")
            .arg(self.path("conf"))
            .arg("start-fg")
            .stdout(Stdio::null())
            // What matters is in its log; the rest is the shell's that started it.
            .stderr(Stdio::null())
            .spawn()
            .expect("postfix is installed");
        self.process = Some(child);
        for port in [self.submission, self.smtps] {
            wait("Postfix listens", async || {
                tokio::net::TcpStream::connect(("127.0.0.1", port))
                    .await
                    .ok()
            })
            .await;
        }
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    fn end(&mut self) {
        let Some(mut child) = self.process.take() else {
            return;
        };
        // The master, which ends its children.
        let id = fs::read_to_string(self.path("queue/pid/master.pid")).unwrap_or_default();
        let id = match id.trim() {
            "" => child.id().to_string(),
            id => id.to_owned(),
        };
        let _ = Command::new("kill").arg(id).status();
        let _ = child.wait();
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        self.end();
    }
}
