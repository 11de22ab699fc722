//! From delivery to ticket: how long a mail that the server just received takes to be one.

use crate::Outcome;
use crate::comparison::{self, target};
use crate::connection::LOOK;
use crate::imap::{Server, connect};
use mailroom_core::api;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::time::{Duration, Instant};

/// Mails delivered one after the other.
const MAILS: u32 = 20;

/// Lets a process receive mails one by one and prints the median time and the longest.
pub(crate) fn compare(server: &str) -> Outcome<()> {
    let mut times: Vec<f64> = comparison::run(server, "imap-engine-delivery", MAILS)?;
    times.sort_by(f64::total_cmp);
    let (Some(median), Some(longest)) = (times.get(times.len() / 2), times.last()) else {
        return Err("nothing was delivered".into());
    };
    println!(
        "delivery to ticket, of {MAILS} (Dovecot tells of new mail half a second after it came):"
    );
    target("median seconds", *median, 1.0);
    target("longest seconds", *longest, 1.0);
    Ok(())
}

/// Delivers `count` mails, each after the one before became a ticket. Returns the seconds of each.
pub(crate) async fn receive(server: Server, count: u32) -> Outcome<Vec<f64>> {
    let folder = tempfile::tempdir()?;
    let (app, id) = connect(folder.path(), &server).await?;
    // Until the connection that waits for mail is there.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let run = std::process::id();
    let mut times = Vec::new();
    for number in 0..count {
        let delivered = Instant::now();
        deliver(&server, &format!("delivery-{run}-{number}"))?;
        while api::address_details(&app, id).await?.totals.imported <= number {
            tokio::time::sleep(LOOK).await;
        }
        times.push(delivered.elapsed().as_secs_f64());
    }
    app.close().await;
    Ok(times)
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
