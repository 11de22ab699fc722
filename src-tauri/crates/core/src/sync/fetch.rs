//! From ids to parsed mail: fetched in groups, parsed beside the network, nothing stored yet.

use crate::import::ParsedMail;
use crate::import::parse::parse;
use crate::provider::{Provider, ProviderError, RemoteMessage};
use bytes::Bytes;

/// Messages in one request.
pub(super) const GROUP: usize = 20;

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
    },
    /// It left the server between listing and fetching.
    Gone,
    /// This message cannot be had at the moment; others can. It is tried again later.
    Failed {
        code: String,
    },
}

/// Fetches and parses up to [`GROUP`] messages.
///
/// # Errors
/// What concerns the whole mailbox (no network, sign-in, throttling), not a single message: then nothing of
/// this group is decided and the caller comes again.
pub(super) async fn fetch(
    provider: &Provider,
    listings: Vec<RemoteMessage>,
) -> Result<Vec<Fetched>, ProviderError> {
    let ids: Vec<String> = listings
        .iter()
        .map(|listing| listing.server_id.clone())
        .collect();
    let answers = provider.fetch(&ids).await;
    let all_failed = answers.iter().all(Result::is_err);
    let mut raws = Vec::with_capacity(answers.len());
    for answer in answers {
        raws.push(match answer {
            Ok(raw) => Ok(raw),
            Err(ProviderError::NotFound(_)) => Err(FetchResult::Gone),
            Err(error) if all_failed || concerns_the_mailbox(&error) => return Err(error),
            Err(error) => Err(FetchResult::Failed { code: code(&error) }),
        });
    }
    let parsing = tokio::task::spawn_blocking(move || {
        listings
            .into_iter()
            .zip(raws)
            .map(|(listing, raw)| {
                let result = raw.map_or_else(
                    |failure| failure,
                    |raw| FetchResult::Mail {
                        parsed: Box::new(parse(&raw)),
                        raw,
                    },
                );
                Fetched { listing, result }
            })
            .collect()
    });
    parsing
        .await
        .map_err(|_| ProviderError::Protocol("parser_ended", crate::diagnosis::Evidence::default()))
}

fn concerns_the_mailbox(error: &ProviderError) -> bool {
    matches!(
        error,
        ProviderError::Offline(_)
            | ProviderError::Token(_)
            | ProviderError::Unauthorized(_)
            | ProviderError::Throttled(..)
    )
}

fn code(error: &ProviderError) -> String {
    error
        .evidence()
        .and_then(|evidence| evidence.code.clone())
        .unwrap_or_else(|| error.to_string())
}
