//! A Dovecot on this computer with one mailbox, reached over TLS with a certificate of its own.

use crate::{Outcome, maildir};
use serde::{Deserialize, Serialize};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

/// `nobody`: Dovecot reads no mail as root.
const NOBODY: u32 = 65_534;

/// How the measured processes reach the server.
#[derive(Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) login: String,
    pub(crate) password: String,
    /// The authority to trust, as a PEM file.
    pub(crate) authority: PathBuf,
    /// Where mail is delivered.
    pub(crate) maildir: PathBuf,
}

/// A running server; it ends when this is dropped.
pub(crate) struct Dovecot {
    pub(crate) server: Server,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Dovecot {
    /// Starts one whose inbox holds `mails`.
    pub(crate) fn start(mails: u32) -> Outcome<Self> {
        let folder = tempfile::tempdir()?;
        let dir = folder.path();
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755))?;
        let me = fs::metadata(dir)?.uid();
        let owner = if me == 0 { NOBODY } else { me };
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = Server {
            port,
            login: "support".to_owned(),
            password: "practice".to_owned(),
            authority: dir.join("authority.pem"),
            maildir: dir.join("support"),
        };
        maildir::write(&server.maildir, mails, owner)?;
        papers(dir)?;
        fs::write(dir.join("conf"), configuration(dir, &server, me, owner)?)?;
        let program = ["/usr/sbin/dovecot", "dovecot"]
            .into_iter()
            .find(|program| Path::new(program).is_file())
            .unwrap_or("dovecot");
        let process = Command::new(program)
            .args(["-F", "-c"])
            .arg(dir.join("conf"))
            .spawn()
            .map_err(|error| format!("Dovecot does not start: {error}"))?;
        let started = Self {
            server,
            process,
            _folder: folder,
        };
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(started);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err("Dovecot does not answer".into())
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // A signal that Dovecot can pass on to its children.
        let id = self.process.id().to_string();
        let _ = Command::new("kill").arg(id).status();
        let _ = self.process.wait();
    }
}

fn configuration(dir: &Path, server: &Server, me: u32, owner: u32) -> Outcome<String> {
    let (dir, port) = (dir.display(), server.port);
    let mut text = format!(
        "base_dir = {dir}/run\nstate_dir = {dir}/state\nlog_path = {dir}/log\nprotocols = imap\nlisten = 127.0.0.1\n\
         ssl = required\nssl_cert = <{dir}/certificate.pem\nssl_key = <{dir}/key.pem\n\
         mail_location = maildir:{}\nfirst_valid_uid = 1\nmail_fsync = never\n\
         passdb {{\n driver = static\n args = password={}\n}}\n\
         userdb {{\n driver = static\n args = uid={owner} gid={owner} home={dir}/home\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = 0\n }}\n\
          inet_listener imaps {{\n port = {port}\n ssl = yes\n }}\n}}\n\
         service anvil {{\n chroot =\n}}\n",
        server.maildir.display(),
        server.password,
    );
    if me != 0 {
        let name = String::from_utf8(Command::new("id").arg("-un").output()?.stdout)?;
        let name = name.trim();
        text.push_str(&format!(
            "default_internal_user = {name}\ndefault_login_user = {name}\ndefault_internal_group = {name}\n"
        ));
    }
    Ok(text)
}

/// An authority of its own and a certificate for this computer.
fn papers(dir: &Path) -> Outcome<()> {
    let authority_key = rcgen::KeyPair::generate()?;
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key)?.pem();
    let issuer = rcgen::Issuer::new(params, authority_key);
    let key = rcgen::KeyPair::generate()?;
    let mut leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    // OpenSSL takes a certificate that bears its issuer's name for self-signed.
    leaf.distinguished_name
        .push(rcgen::DnType::CommonName, "127.0.0.1");
    leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = leaf.signed_by(&key, &issuer)?.pem();
    fs::write(dir.join("authority.pem"), authority)?;
    fs::write(dir.join("certificate.pem"), certificate)?;
    fs::write(dir.join("key.pem"), key.serialize_pem())?;
    Ok(())
}
