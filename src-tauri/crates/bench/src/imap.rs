//! Imports by IMAP from a Dovecot, beside other programs that fetch the same mailbox.

use crate::comparison::{Comparison, target};
use crate::connection::{MemoryKey, open, polled};
use crate::usage::Usage;
use crate::{MAILBOX, Outcome, delivery, engine, maildir, runtime};
use mailroom_core::account::Tls;
use mailroom_core::api::view::ConnectChoices;
use mailroom_core::api::{self, ImapInput};
use mailroom_core::app::App;
use mailroom_core::app::desktop::Desktop;
use mailroom_rigs::dovecot::{self, Dovecot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

/// The address that the mailbox belongs to.
const ADDRESS: &str = "support@contoso.example";

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

/// Starts the server and compares.
pub(crate) fn compare(asked: &Comparison, imports: bool, delivered: bool) -> Outcome<()> {
    println!("By IMAP, from Dovecot");
    let dovecot = runtime()?.block_on(Dovecot::start());
    dovecot.write("authority.pem", &dovecot.papers.ca);
    let server = Server {
        port: dovecot.port,
        login: dovecot::LOGIN.to_owned(),
        password: dovecot::PASSWORD.to_owned(),
        authority: dovecot.place().join("authority.pem"),
        maildir: dovecot.maildir(),
    };
    let mails = asked.most().max(MAILBOX);
    maildir::write(&server.maildir, mails, dovecot.owner())?;
    let server = serde_json::to_string(&server)?;
    if imports {
        targets(&asked.run(&server, &["imap-engine", "mbsync", "mbsync-notmuch"])?);
    }
    if delivered {
        delivery::compare(&server)?;
    }
    Ok(())
}

/// A mailbox of this size and more is a large one.
const LARGE: u32 = 100_000;

/// What an import is to be beside others at less work (mbsync neither parses nor threads nor indexes, and does not wait
/// for the disk), and how much memory it may take.
fn targets(medians: &BTreeMap<u32, Vec<Usage>>) {
    for (size, usages) in medians {
        let [engine, mbsync, indexed] = usages.as_slice() else {
            continue;
        };
        println!("newest {size}:");
        let most = if *size < 1_000 { 1.5 } else { 2.0 };
        target("time / mbsync", engine.seconds / mbsync.seconds, most);
        target(
            "time / mbsync-notmuch",
            engine.seconds / indexed.seconds,
            0.1,
        );
        if *size >= LARGE {
            target("MiB of memory", engine.peak_mib, 120.0);
            if let Some(usual) = medians.get(&MAILBOX).and_then(|usages| usages.first()) {
                let each = |usage: &Usage| usage.seconds / f64::from(usage.messages);
                target(
                    "time of a mail / one of 10,000",
                    each(engine) / each(usual),
                    1.25,
                );
            }
        }
    }
}

/// Imports the newest `size` mails.
pub(crate) async fn import(server: Server, size: u32) -> Outcome<Usage> {
    let folder = tempfile::tempdir()?;
    let (app, id) = connect(folder.path(), &server).await?;
    engine::run(&app, id, size).await
}

/// Nobody opens a browser where a password signs in.
struct NoBrowser;

impl Desktop for NoBrowser {
    fn open_url<'a>(
        &'a self,
        _url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async { Err("no browser".to_owned()) })
    }
}

/// Connects the mailbox in `folder` and waits for the first poll. Returns the address's id.
pub(crate) async fn connect(folder: &Path, server: &Server) -> Outcome<(Arc<App>, i64)> {
    let roots = vec![std::fs::read(&server.authority)?];
    let key = Arc::new(MemoryKey::default());
    let app = open(folder, key, Arc::new(NoBrowser), roots).await?;
    let input = ImapInput {
        tls: Tls::Implicit,
        issuer: None,
        server: format!("127.0.0.1:{}", server.port),
        login: server.login.clone(),
        folder: None,
    };
    let choices = ConnectChoices {
        brand: "Bench".to_owned(),
        import_newest: None,
        folder: None,
    };
    let password = server.password.clone().into();
    let id = api::connect_imap(&app, ADDRESS, input, password, choices)
        .await?
        .id;
    polled(&app, id).await?;
    Ok((app, id))
}
