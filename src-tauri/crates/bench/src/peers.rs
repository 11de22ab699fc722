//! Programs that people use for the same work: mbsync (Debian's isync), which fetches a mailbox into a Maildir, and
//! notmuch, which indexes one. mbsync does not wait for the disk (`FSync no`): the fastest that it can be.

use crate::Outcome;
use crate::imap::Server;
use crate::usage::{Start, Usage};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Fetches the newest `size` mails.
pub(crate) async fn mbsync(server: Server, size: u32) -> Outcome<Usage> {
    measure(&server, size, false)
}

/// Fetches the newest `size` mails and indexes them.
pub(crate) async fn mbsync_and_notmuch(server: Server, size: u32) -> Outcome<Usage> {
    measure(&server, size, true)
}

fn measure(server: &Server, size: u32, index: bool) -> Outcome<Usage> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path();
    fs::create_dir(dir.join("mail"))?;
    fs::write(dir.join("mbsyncrc"), mbsync_settings(dir, server, size))?;
    fs::write(dir.join("notmuch-config"), notmuch_settings(dir))?;
    let start = Start::now();
    run(Command::new("mbsync")
        .arg("-c")
        .arg(dir.join("mbsyncrc"))
        .arg("-a"))?;
    if index {
        run(Command::new("notmuch")
            .env("NOTMUCH_CONFIG", dir.join("notmuch-config"))
            .args(["new", "--no-hooks"]))?;
    }
    let usage = start.usage(size);
    let fetched: usize = ["cur", "new"]
        .iter()
        .map(|part| fs::read_dir(dir.join("mail/INBOX").join(part)).map_or(0, Iterator::count))
        .sum();
    if fetched != usize::try_from(size)? {
        return Err(format!("mbsync fetched {fetched} of {size}").into());
    }
    Ok(usage)
}

fn run(command: &mut Command) -> Outcome<()> {
    let status = command
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("{:?} does not start: {error}", command.get_program()))?;
    if !status.success() {
        return Err(format!("{:?} ended with {status}", command.get_program()).into());
    }
    Ok(())
}

/// mbsync(1); what stands in quotes has its quotes and backslashes escaped.
fn mbsync_settings(dir: &Path, server: &Server, size: u32) -> String {
    let (dir, authority) = (dir.display(), server.authority.display());
    let password = server.password.replace('\\', "\\\\").replace('"', "\\\"");
    format!(
        "FSync no\n\n\
         IMAPStore far\nHost 127.0.0.1\nPort {}\nUser {}\nPass \"{password}\"\nSSLType IMAPS\nSystemCertificates no\n\
         CertificateFile {authority}\n\n\
         MaildirStore near\nPath {dir}/mail/\nInbox {dir}/mail/INBOX\n\n\
         Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull New\nMaxMessages {size}\n\
         ExpireUnread yes\nSyncState *\n",
        server.port, server.login
    )
}

/// notmuch-config(1).
fn notmuch_settings(dir: &Path) -> String {
    format!(
        "[database]\npath={}/mail\n[user]\nname=Bench\nprimary_email=support@contoso.example\n[new]\ntags=new\n",
        dir.display()
    )
}
