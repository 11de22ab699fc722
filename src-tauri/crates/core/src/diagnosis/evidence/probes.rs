//! Probes that go through the provider, the sign-in and the disk. None writes anything to a server.

use crate::Millis;
use crate::account::{Identity, Registration};
use crate::diagnosis::Evidence;
use crate::oauth::error::{SignInError, TokenError};
use crate::oauth::flow;
use crate::oauth::tokens::Tokens;
use crate::provider::{Folder, Provider, ProviderError, RemoteMessage};
use std::path::Path;
use std::time::Duration;

/// Time for one probe. A healthy server answers within two seconds.
const PROBE: Duration = Duration::from_secs(8);

/// Waits for a probe, and says that nobody answered when time has run out.
///
/// # Errors
/// What the probe says, and [`ProviderError::Offline`] with the code `connection_timeout`.
pub async fn within<T>(
    probe: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    tokio::time::timeout(PROBE, probe)
        .await
        .unwrap_or_else(|_| Err(ProviderError::Offline(late())))
}

fn late() -> Evidence {
    let text = format!("no answer within {} seconds", PROBE.as_secs());
    Evidence::of(Some("connection_timeout"), None, &text, &[])
}

/// Why the data folder cannot be written, if so: a small file is made and removed again.
pub async fn data_folder(folder: &Path) -> Option<String> {
    let folder = folder.to_owned();
    let tried = tokio::task::spawn_blocking(move || {
        let path = folder.join(format!(".check-{}", uuid::Uuid::new_v4()));
        let written = std::fs::write(&path, b"check");
        // Whatever became of it: nothing is to stay behind.
        let removed = std::fs::remove_file(&path);
        written.and(removed)
    });
    match tried.await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// The issuer of the tenant, by OpenID discovery.
///
/// # Errors
/// As [`flow::discover`].
pub async fn discovery(
    http: &reqwest::Client,
    registration: &Registration,
) -> Result<String, SignInError> {
    match tokio::time::timeout(PROBE, flow::discover(http, registration)).await {
        Ok(discovery) => Ok(discovery?.issuer),
        Err(_) => Err(SignInError::Offline(late())),
    }
}

/// Makes sure that there is an access token, renewing it if need be; says when it ends. A failure that needs a person
/// is repeated from memory: looking again and again asks the sign-in service once in five minutes.
///
/// # Errors
/// [`TokenError`].
pub async fn silent_renewal(tokens: &Tokens) -> Result<Option<Millis>, TokenError> {
    match tokio::time::timeout(PROBE, tokens.access()).await {
        Ok(access) => access.map(drop)?,
        Err(_) => return Err(TokenError::Offline(late())),
    }
    Ok(tokens.expires_at().await)
}

/// Who the mailbox belongs to.
///
/// # Errors
/// [`ProviderError`].
pub async fn identity(provider: &Provider) -> Result<Identity, ProviderError> {
    within(provider.identity()).await
}

/// The mailbox's inbox: every mailbox has one, so it stands for the mailbox.
///
/// # Errors
/// [`ProviderError`].
pub async fn inbox(provider: &Provider) -> Result<Folder, ProviderError> {
    within(provider.folder(None)).await
}

/// The folder under a path.
///
/// # Errors
/// [`ProviderError`].
pub async fn folder(provider: &Provider, path: Option<&str>) -> Result<Folder, ProviderError> {
    within(provider.folder(path)).await
}

/// The newest messages of a folder.
///
/// # Errors
/// [`ProviderError`].
pub async fn listed(
    provider: &Provider,
    folder_id: &str,
    until: Millis,
    size: u32,
) -> Result<Vec<RemoteMessage>, ProviderError> {
    let page = within(provider.newest(folder_id, until, size, None)).await?;
    Ok(page.messages)
}

/// Lists the newest message of a folder and reads it: when it was received, and its size in bytes.
///
/// # Errors
/// [`ProviderError`].
pub async fn fetch(
    provider: &Provider,
    folder_id: &str,
    until: Millis,
) -> Result<Option<(Millis, usize)>, ProviderError> {
    let Some(newest) = listed(provider, folder_id, until, 1)
        .await?
        .into_iter()
        .next()
    else {
        return Ok(None);
    };
    let ids = [newest.server_id];
    let read = async {
        let mut answers = provider.fetch(&ids).await;
        answers.pop().unwrap_or_else(|| {
            Err(ProviderError::Protocol(
                "no_answer",
                Evidence::of(None, None, "", &[]),
            ))
        })
    };
    match within(read).await {
        Ok(raw) => Ok(Some((newest.received_at, raw.len()))),
        // Somebody moved it between listing and reading; listing works, and the next poll will tell.
        Err(ProviderError::NotFound(_)) => Ok(Some((newest.received_at, 0))),
        Err(error) => Err(error),
    }
}
