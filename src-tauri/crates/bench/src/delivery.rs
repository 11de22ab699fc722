//! From delivery to ticket: how long a mail that the server just received takes to be one.

use crate::connection::LOOK;
use crate::imap::{Server, connect};
use crate::usage::{Start, Usage};
use crate::{Outcome, comparison};
use mailroom_core::api;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::time::Duration;

/// Mails delivered one after the other.
const MAILS: u32 = 20;

/// Lets a process receive mails and prints the mean time of one.
pub(crate) fn compare(server: &str) -> Outcome<()> {
    let usage = comparison::run(server, "imap-engine-delivery", MAILS)?;
    println!(
        "delivery to ticket, mean of {MAILS}: {:.2} s (Dovecot tells of new mail half a second after it came)",
        usage.seconds / f64::from(usage.messages)
    );
    Ok(())
}

/// Delivers `count` mails, each after the one before became a ticket.
pub(crate) async fn receive(server: Server, count: u32) -> Outcome<Usage> {
    let folder = tempfile::tempdir()?;
    let (app, id) = connect(folder.path(), &server).await?;
    // Until the connection that waits for mail is there.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let run = std::process::id();
    let start = Start::now();
    for number in 0..count {
        deliver(&server, &format!("delivery-{run}-{number}"))?;
        while api::address_details(&app, id).await?.totals.imported <= number {
            tokio::time::sleep(LOOK).await;
        }
    }
    let usage = start.usage(count);
    app.close().await;
    Ok(usage)
}

/// As a delivery agent does: written aside, then moved into place.
fn deliver(server: &Server, name: &str) -> Outcome<()> {
    let owner = fs::metadata(&server.maildir)?.uid();
    let waiting = server.maildir.join("tmp").join(name);
    let mail = format!(
        "From: kim@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: {name}\r\nMessage-ID: <{name}@fabrikam.example>\r\n\r\nHello\r\n"
    );
    fs::write(&waiting, mail)?;
    chown(&waiting, Some(owner), Some(owner))?;
    fs::rename(waiting, server.maildir.join("new").join(name))?;
    Ok(())
}
