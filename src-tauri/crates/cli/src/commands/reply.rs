//! Answering a ticket.

use crate::args::Common;
use crate::{Failure, print, session};
use clap::Args;
use mailroom_core::api;
use std::io::Read;
use std::path::{Path, PathBuf};

/// More is no text that somebody wrote; the core says where exactly the limit is.
const MOST: u64 = 2 << 20;

/// Options of `reply`.
#[derive(Args)]
pub(crate) struct ReplyArguments {
    /// The ticket's number
    pub(crate) id: i64,
    /// The text, as UTF-8; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) text_file: PathBuf,
    /// Send from the ticket's address or one of its additional addresses; without it from the one that was written to
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) from: Option<String>,
    /// Only show what would be sent
    #[arg(long)]
    pub(crate) rehearse: bool,
    /// Send it although nobody knows whether an earlier reply left
    #[arg(long, conflicts_with = "rehearse")]
    pub(crate) again: bool,
}

/// `reply`
pub(crate) async fn run(common: &Common, options: ReplyArguments) -> Result<(), Failure> {
    let text = text(&options.text_file)?;
    let app = session::open(common, false).await?;
    let (id, from) = (options.id, options.from.as_deref());
    let done = match options.rehearse {
        true => api::rehearse_reply(&app, id, &text, from).await,
        false => api::reply(&app, id, &text, from, options.again).await,
    };
    session::close(&app).await;
    let reply = done?;
    if common.json {
        print::json(&reply);
    } else {
        let head = match reply.sent {
            true => "Sent",
            false => "Would be sent",
        };
        print::line(&format!("{head} from {} to {}", reply.from, reply.to));
        print::line(&print::plain(&reply.subject));
    }
    if reply.sent && !reply.kept {
        print::note("It was sent, but could not be kept in the ticket.");
    }
    if reply.copy_failed {
        print::note(
            "It was sent, but no copy could be put into the mailbox's folder for sent mail.",
        );
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, Failure> {
    let unreadable = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().lock().take(MOST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MOST).read_to_end(&mut bytes))
    };
    read.map_err(|error| unreadable(error.to_string()))?;
    String::from_utf8(bytes).map_err(|_| unreadable("this is no text in UTF-8".to_owned()))
}
