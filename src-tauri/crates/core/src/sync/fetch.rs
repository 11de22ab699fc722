//! From ids to parsed mail: fetched in groups, parsed beside the network, nothing stored yet.

use crate::diagnosis::Evidence;
use crate::import::ParsedMail;
use crate::import::parse::parse;
use crate::provider::{Provider, ProviderError, RemoteMessage};
use crate::store::addresses::AddressRow;
use crate::store::search::Searchable;
use bytes::Bytes;

/// Messages in one request.
pub(super) const GROUP: usize = 20;

/// Failures in a row after which a group that fails as a whole is passed by.
const PATIENCE: u32 = 3;

/// A server message with what became of fetching it.
pub(super) struct Fetched {
    pub(super) listing: RemoteMessage,
    pub(super) result: FetchResult,
}

/// What became of fetching a message.
pub(super) enum FetchResult {
    Mail {
        raw: Bytes,
        parsed: Box<ParsedMail>,
        searchable: Searchable,
    },
    /// It left the server between listing and fetching.
    Gone,
    /// This message cannot be had at the moment; others can. It is tried again later.
    Failed { code: String },
}

/// A group after fetching.
pub(super) struct Group {
    /// What is decided; the rest was not reached and comes again.
    pub(super) decided: Vec<Fetched>,
    /// What there was no room for beside the others; to be fetched next.
    pub(super) rest: Vec<RemoteMessage>,
    /// What stopped the group: something that concerns the whole mailbox (no network, sign-in, throttling), not a
    /// single message.
    pub(super) stopped: Option<ProviderError>,
}

/// Fetches and parses up to [`GROUP`] messages. What could be had before something stopped the group is not lost:
/// under throttling every message counts.
pub(super) async fn fetch(
    provider: &Provider,
    address: &AddressRow,
    listings: Vec<RemoteMessage>,
) -> Group {
    fetch_patiently(provider, listings, address.failures < PATIENCE).await
}

/// The same for messages that could not be fetched before: that they fail again says nothing about the mailbox.
pub(super) async fn fetch_again(provider: &Provider, listings: Vec<RemoteMessage>) -> Group {
    fetch_patiently(provider, listings, false).await
}

async fn fetch_patiently(
    provider: &Provider,
    listings: Vec<RemoteMessage>,
    patient: bool,
) -> Group {
    let ids: Vec<String> = listings
        .iter()
        .map(|listing| listing.server_id.clone())
        .collect();
    let answers = provider.fetch(&ids).await;
    // A whole group that fails is the server's trouble, at first. If it stays so, the messages themselves are what
    // is wrong: they are noted as failed, and those behind them come through.
    let is_the_mailboxs = |answer: &Result<Bytes, ProviderError>| {
        answer
            .as_ref()
            .is_err_and(|error| !error.is_about_one_message())
    };
    let all_failed = patient && answers.iter().all(is_the_mailboxs);
    let mut stopped = None;
    let mut rest = Vec::new();
    let mut had = Vec::with_capacity(answers.len());
    let mut failed = Vec::new();
    for (listing, answer) in listings.into_iter().zip(answers) {
        match answer {
            Ok(raw) => had.push((listing, Ok(raw))),
            Err(ProviderError::NotFound(_)) => had.push((listing, Err(FetchResult::Gone))),
            Err(error) if error.is_no_room() => rest.push(listing),
            Err(error) if all_failed || concerns_the_mailbox(&error) => {
                stopped.get_or_insert(error);
            }
            Err(error) => failed.push((listing, code(&error))),
        }
    }
    // The ledger names what the mail itself does not tell.
    let (failed, codes): (Vec<_>, Vec<_>) = failed.into_iter().unzip();
    for (listing, code) in provider.described(failed).await.into_iter().zip(codes) {
        had.push((listing, Err(FetchResult::Failed { code })));
    }
    if rest.len() == ids.len() {
        // Asking again would bring no more.
        stopped.get_or_insert(ProviderError::no_room());
    }
    let parsing = tokio::task::spawn_blocking(move || {
        let read = |raw: Bytes| {
            let parsed = Box::new(parse(&raw));
            FetchResult::Mail {
                searchable: searchable(&parsed),
                parsed,
                raw,
            }
        };
        had.into_iter()
            .map(|(listing, raw)| Fetched {
                listing,
                result: raw.map_or_else(|failure| failure, read),
            })
            .collect()
    });
    match parsing.await {
        Ok(decided) => Group {
            decided,
            rest,
            stopped,
        },
        Err(_) => Group {
            decided: Vec::new(),
            rest: Vec::new(),
            stopped: Some(ProviderError::Protocol("parser_ended", Evidence::default())),
        },
    }
}

fn searchable(mail: &ParsedMail) -> Searchable {
    let people = std::iter::once(&mail.from)
        .chain(&mail.to)
        .chain(&mail.cc)
        .chain(&mail.reply_to)
        .map(|person| (person.name.as_str(), person.address.as_str()));
    Searchable::new(&mail.subject, people, &mail.text)
}

fn concerns_the_mailbox(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Offline(_)
            | ProviderError::Token(_)
            | ProviderError::Unauthorized(_)
            | ProviderError::Throttled(..)
            | ProviderError::CursorExpired(_)
    )
}

fn code(error: &ProviderError) -> String {
    error
        .evidence()
        .and_then(|evidence| evidence.code.clone())
        .unwrap_or_else(|| error.to_string())
}
