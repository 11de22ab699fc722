//! Debian's Dovecot with one user, whose mailbox is a Maildir.

use crate::{Papers, free_port, wait};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The user whose mailbox it is.
pub const LOGIN: &str = "support";
/// Their password, with everything in it that has to be quoted.
pub const PASSWORD: &str = "a password, \"quoted\"";
/// `nobody`: Dovecot reads no mail as root.
const NOBODY: u32 = 65_534;

/// A running server.
pub struct Dovecot {
    /// The port that speaks TLS from the first byte.
    pub port: u16,
    /// The port that wants STARTTLS.
    pub plain_port: u16,
    /// What it shows, unless [`Self::wear`] changed it.
    pub papers: Papers,
    folder: TempDir,
    process: Option<Child>,
    owner: u32,
}

impl Dovecot {
    /// One with an empty mailbox.
    pub async fn start() -> Self {
        Self::started("", None).await
    }

    /// With further lines of configuration.
    pub async fn with(more: &str) -> Self {
        Self::started(more, None).await
    }

    /// One that takes tokens too, and asks `introspection` about them (RFC 7662): they must be for `support` and hold
    /// the scope `mail`.
    pub async fn with_introspection(introspection: &str) -> Self {
        Self::started("", Some(introspection)).await
    }

    /// As [`Self::with_introspection`], for everybody whom the issuer knows: a token opens the mailboxes that
    /// [`Self::allow`] names for its owner, under the mailbox's name, as Exchange Online does it. Settings in its file
    /// `last` win over all others.
    pub async fn with_rights(introspection: &str) -> Self {
        let more = "auth_username_format = %Ln\n";
        let mut server = Self::started(more, Some(introspection)).await;
        server.ask_for_rights();
        server.restart().await;
        server
    }

    /// These pairs of person and mailbox fit together from now on, and no others.
    pub async fn allow(&self, pairs: &[(&str, &str)]) {
        self.write_rights(pairs);
        // It looks at the file once a second, and reads it when its time in seconds is another one.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    }

    fn write_rights(&self, pairs: &[(&str, &str)]) {
        let line =
            |(person, mailbox): &(&str, &str)| format!("{mailbox}/{person}:::::::nopassword\n");
        let file = self.path("rights");
        let former = fs::metadata(&file).and_then(|file| file.modified()).ok();
        self.write("rights", &pairs.iter().map(line).collect::<String>());
        if let Some(former) = former {
            let next = former + std::time::Duration::from_secs(2);
            fs::File::options()
                .write(true)
                .open(file)
                .unwrap()
                .set_modified(next)
                .unwrap();
        }
    }

    fn ask_for_rights(&self) {
        let config = fs::read_to_string(self.path("conf")).unwrap();
        let (before, _) = config.rsplit_once("passdb {").unwrap();
        let (tokens, rights) = (self.path("tokens"), self.path("rights"));
        // The token says who it belongs to, whatever name is given with it; the file says whether the name fits.
        let passdbs = format!(
            "passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {}\n\
              result_success = continue\n result_failure = return-fail\n result_internalfail = return-fail\n}}\n\
             passdb {{\n driver = passwd-file\n mechanisms = xoauth2 oauthbearer\n\
              args = username_format=%u/%{{passdb:person}} {}\n result_failure = return-fail\n}}\n",
            tokens.display(),
            rights.display()
        );
        let last = format!("!include_try {}\n", self.path("last").display());
        self.write("conf", &format!("{before}{passdbs}{last}"));
        let questions = fs::read_to_string(&tokens).unwrap();
        let any = "username_format = anybody\npass_attrs = person=%{oauth2:sub}\n";
        self.write("tokens", &format!("{questions}{any}"));
        self.write_rights(&[]);
    }

    async fn started(more: &str, introspection: Option<&str>) -> Self {
        let folder = tempfile::Builder::new().prefix("dc").tempdir().unwrap();
        let me = fs::metadata(folder.path()).unwrap().uid();
        let owner = if me == 0 { NOBODY } else { me };
        let papers = Papers::new(&["127.0.0.1"]);
        let [port, plain_port] = [free_port(), free_port()];
        let mut server = Self {
            port,
            plain_port,
            papers,
            folder,
            process: None,
            owner,
        };
        server.write_files(me, more);
        if let Some(url) = introspection {
            server.take_tokens(url);
        }
        server.run().await;
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where a server that takes mail asks for passwords.
    pub fn sasl_socket(&self) -> PathBuf {
        self.path("sasl")
    }

    /// Where the Maildirs are.
    pub fn mail_folder(&self) -> PathBuf {
        self.path("mail")
    }

    /// Whose the Maildirs are.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Where everything of this server is.
    pub fn place(&self) -> &Path {
        self.folder.path()
    }

    /// Writes one of its files: `users`, `cert.pem` and `key.pem`, `more` (settings that come last), or one that the
    /// settings name. It counts from the next start on.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// It shows this certificate from the next start on.
    pub fn wear(&self, papers: &Papers) {
        self.write("cert.pem", &papers.certificate);
        self.write("key.pem", &papers.key);
    }

    /// Ends it with all sessions, and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.run().await;
    }

    /// The user's Maildir.
    pub fn maildir(&self) -> PathBuf {
        self.path("mail/support")
    }

    fn write_files(&self, me: u32, more: &str) {
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for name in [
            "mail",
            "mail/support",
            "mail/support/new",
            "mail/support/cur",
            "mail/support/tmp",
        ] {
            fs::create_dir(self.path(name)).unwrap();
            chown(self.path(name), Some(self.owner), Some(self.owner)).unwrap();
        }
        fs::write(self.path("cert.pem"), &self.papers.certificate).unwrap();
        fs::write(self.path("key.pem"), &self.papers.key).unwrap();
        fs::write(self.path("users"), format!("{LOGIN}:{{PLAIN}}{PASSWORD}\n")).unwrap();
        let dir = self.folder.path().display();
        let (port, plain, owner) = (self.port, self.plain_port, self.owner);
        let mut config = format!(
            "base_dir = {dir}/run\nstate_dir = {dir}/state\nlog_path = {dir}/log\nprotocols = imap\n\
             listen = 127.0.0.1\nssl = required\nssl_cert = <{dir}/cert.pem\nssl_key = <{dir}/key.pem\n\
             mail_location = maildir:{dir}/mail/%u\nfirst_valid_uid = 1\nmail_fsync = never\n\
             auth_mechanisms = plain login\nauth_failure_delay = 0\n\
             passdb {{\n driver = passwd-file\n args = {dir}/users\n}}\n\
             userdb {{\n driver = static\n args = uid={owner} gid={owner} home={dir}/mail/%u\n}}\n\
             service imap-login {{\n chroot =\n inet_listener imap {{\n port = {plain}\n }}\n\
              inet_listener imaps {{\n port = {port}\n ssl = yes\n }}\n}}\n\
             service anvil {{\n chroot =\n unix_listener anvil-auth-penalty {{\n mode = 0\n }}\n}}\n\
             service auth {{\n unix_listener {dir}/sasl {{\n mode = 0666\n }}\n}}\n\
             namespace inbox {{\n inbox = yes\n separator = /\n\
              mailbox Trash {{\n auto = create\n special_use = \\Trash\n }}\n}}\n{more}\n!include_try {dir}/more\n"
        );
        if me != 0 {
            let name = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout);
            let name = name.unwrap();
            let name = name.trim();
            write!(
                config,
                "default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {name}\n"
            )
            .unwrap();
        }
        fs::write(self.path("conf"), config).unwrap();
    }

    fn take_tokens(&self, introspection: &str) {
        let questions = format!(
            "introspection_mode = post\nintrospection_url = {introspection}\nusername_attribute = sub\n\
             active_attribute = active\nactive_value = true\nscope = mail\n"
        );
        fs::write(self.path("tokens"), questions).unwrap();
        let config = fs::read_to_string(self.path("conf")).unwrap();
        let tokens = format!(
            "auth_mechanisms = plain login xoauth2 oauthbearer\n\
             passdb {{\n driver = oauth2\n mechanisms = xoauth2 oauthbearer\n args = {}\n}}\n",
            self.path("tokens").display()
        );
        fs::write(self.path("conf"), config + &tokens).unwrap();
    }

    /// Starts it, or starts it again.
    pub async fn run(&mut self) {
        let program = ["/usr/sbin/dovecot", "dovecot"]
            .into_iter()
            .find(|program| Path::new(program).is_file())
            .unwrap_or("dovecot");
        let child = Command::new(program)
            .args(["-F", "-c"])
            .arg(self.path("conf"))
            .stderr(Stdio::inherit())
            // A group of its own: sessions outlive their master, and are to end with it.
            .process_group(0)
            .spawn()
            .expect("dovecot-imapd is installed");
        self.process = Some(child);
        let port = self.port;
        wait("Dovecot listens", async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port))
                .await
                .ok()
        })
        .await;
    }

    /// Ends it and its sessions.
    pub async fn stop(&mut self) {
        if let Some(mut child) = self.process.take() {
            end_group(&child);
            child.wait().unwrap();
        }
        let port = self.port;
        wait("Dovecot is gone", async || {
            let line = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
            line.is_err().then_some(())
        })
        .await;
    }

    /// A folder by its name on the disk: levels are parted by dots, and names are in modified UTF-7.
    pub fn folder(&self, name: &str) {
        let folder = self.maildir().join(format!(".{name}"));
        for path in [
            folder.clone(),
            folder.join("new"),
            folder.join("cur"),
            folder.join("tmp"),
        ] {
            fs::create_dir(&path).unwrap();
            chown(&path, Some(self.owner), Some(self.owner)).unwrap();
        }
    }

    /// Removes a folder with its mail.
    pub fn remove_folder(&self, name: &str) {
        fs::remove_dir_all(self.maildir().join(format!(".{name}"))).unwrap();
    }

    /// Message ids in a folder by its name on the disk, nothing for the inbox; those with the flag `\Deleted` bear a
    /// `!`.
    pub fn ids_in(&self, folder: &str) -> Vec<String> {
        let marked = |(id, flags): (String, String)| match flags.contains('T') {
            true => format!("{id}!"),
            false => id,
        };
        let mut all: Vec<String> = self.flags_in(folder).into_iter().map(marked).collect();
        all.sort();
        all
    }

    /// Message ids in a folder as for [`Dovecot::ids_in`], each with its flags as the Maildir writes them.
    pub fn flags_in(&self, folder: &str) -> Vec<(String, String)> {
        let folder = match folder {
            "" => self.maildir(),
            name => self.maildir().join(format!(".{name}")),
        };
        let mut all = Vec::new();
        for place in ["new", "cur"] {
            for file in fs::read_dir(folder.join(place))
                .into_iter()
                .flatten()
                .flatten()
            {
                let text = fs::read_to_string(file.path()).unwrap();
                let id = text.split_once("Message-ID: <").unwrap().1;
                let id = id.split_once('@').unwrap().0;
                let name = file.file_name().into_string().unwrap();
                let flags = name.rsplit_once(":2,").map_or("", |(_, flags)| flags);
                all.push((id.to_owned(), flags.to_owned()));
            }
        }
        all.sort();
        all
    }

    /// Somebody else removes a mail from the inbox.
    pub fn remove(&self, message_id: &str) {
        self.remove_from("", message_id);
    }

    /// Somebody else removes a mail from a folder by its name on the disk, nothing for the inbox.
    pub fn remove_from(&self, folder: &str, message_id: &str) {
        let folder = match folder {
            "" => self.maildir(),
            name => self.maildir().join(format!(".{name}")),
        };
        for place in ["new", "cur"] {
            for file in fs::read_dir(folder.join(place)).unwrap().flatten() {
                if file.file_name().to_string_lossy().contains(message_id) {
                    fs::remove_file(file.path()).unwrap();
                }
            }
        }
    }

    /// A mail arrives; `age` seconds from now is when the server received it.
    pub fn deliver(&self, place: &str, message_id: &str, age: i64) {
        let mail = crate::mail(message_id, &format!("About {message_id}"), "");
        // In `cur` a mail may bear flags, here that somebody wants it deleted.
        let flags = if place == "cur" { ":2,T" } else { "" };
        let nanoseconds = jiff::Timestamp::now().as_nanosecond();
        let name = format!("{nanoseconds}.{message_id}{flags}");
        let (waiting, path) = (
            self.maildir().join("tmp").join(&name),
            self.maildir().join(place).join(&name),
        );
        fs::write(&waiting, mail.replace('\n', "\r\n")).unwrap();
        chown(&waiting, Some(self.owner), Some(self.owner)).unwrap();
        let at = std::time::SystemTime::now();
        let offset = std::time::Duration::from_secs(age.unsigned_abs());
        let at = if age < 0 { at - offset } else { at + offset };
        fs::File::open(&waiting).unwrap().set_modified(at).unwrap();
        fs::rename(waiting, path).unwrap();
    }

    /// All mails of the inbox, as they were delivered.
    pub fn mails(&self) -> Vec<String> {
        ["new", "cur"]
            .iter()
            .flat_map(|name| fs::read_dir(self.maildir().join(name)).unwrap().flatten())
            .map(|file| fs::read_to_string(file.path()).unwrap_or_default())
            .collect()
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// How many sign-ins there were.
    pub fn lines(&self) -> usize {
        self.log().matches("imap-login: Info: Login:").count()
    }

    /// How many mails bear the flag `\Seen`.
    pub fn seen(&self) -> usize {
        fs::read_dir(self.maildir().join("cur"))
            .unwrap()
            .flatten()
            .filter(|file| {
                let name = file.file_name().into_string().unwrap();
                name.rsplit_once(":2,")
                    .is_some_and(|(_, flags)| flags.contains('S'))
            })
            .count()
    }

    /// The server forgets its numbers: a new UIDVALIDITY.
    pub async fn renumber(&mut self) {
        self.stop().await;
        // UIDVALIDITY is the time in seconds.
        tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
        for file in fs::read_dir(self.maildir()).unwrap().flatten() {
            if file.file_name().to_string_lossy().starts_with("dovecot") {
                fs::remove_file(file.path()).unwrap();
            }
        }
        self.run().await;
    }
}

fn end_group(master: &Child) {
    let group = format!("-{}", master.id());
    let _ = Command::new("kill").args(["-TERM", "--", &group]).status();
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        if let Some(child) = &mut self.process {
            end_group(child);
            let _ = child.wait();
        }
    }
}
