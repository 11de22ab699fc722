//! The app registration: an audit and a script. Neither needs the network. Of what is pasted nothing is kept but when
//! secrets and certificates in it end.

use super::error::{ApiError, ErrorCode};
use super::handoff::save_text;
use super::view::{Access, Audit, Shell};
use crate::app::App;
use crate::diagnosis::catalogue::{Card, Language};
use crate::diagnosis::registration::{self, KnownExpiries, Wanted};
use crate::store::settings;
use std::path::Path;

/// Audits a registration by its pasted manifest, in either of Entra's formats; `tenant` is what Mailroom is set to. With
/// each deviation comes its card in `language`, in the same order; their links may then be opened. When its secrets and
/// certificates end is kept for the forecast.
///
/// # Errors
/// [`ErrorCode::InvalidManifest`].
pub async fn audit_registration(
    app: &App,
    manifest: &str,
    access: Access,
    tenant: &str,
    language: &str,
) -> Result<(Audit, Vec<Card>), ApiError> {
    let now = app.context.clock.now();
    let (audit, cards) = audit_manifest(manifest, access, tenant, language, now)?;
    for card in &cards {
        app.offer_links(card.links.iter().map(|link| link.url.as_str()));
    }
    if let Err(error) = keep_expiries(app, &audit).await {
        // What was found is worth more than what is remembered of it.
        tracing::warn!(?error, "What ends in the registration cannot be kept.");
    }
    Ok((audit, cards))
}

/// Keeps when the secrets and certificates of an audited registration end, by its client id.
///
/// # Errors
/// The database cannot be written.
pub async fn keep_expiries(app: &App, audit: &Audit) -> Result<(), ApiError> {
    let known = KnownExpiries {
        expiries: audit.expiries.clone(),
    };
    let client_id = audit.client_id.clone();
    let write =
        move |tx: &rusqlite::Transaction<'_>| settings::save_registration(tx, &client_id, &known);
    Ok(app.context.store.write(write).await?)
}

/// As [`audit_registration`], at `now` (milliseconds since 1970) and without an open data folder.
///
/// # Errors
/// [`ErrorCode::InvalidManifest`].
pub fn audit_manifest(
    manifest: &str,
    access: Access,
    tenant: &str,
    language: &str,
    now: crate::Millis,
) -> Result<(Audit, Vec<Card>), ApiError> {
    let mut audit = registration::audit(manifest, access, tenant, now)
        .map_err(|error| ApiError::new(ErrorCode::InvalidManifest).because(error))?;
    for one in &mut audit.deviations {
        let id = audit.client_id.clone();
        one.args.insert("client_id".to_owned(), id);
    }
    let language = Language::from_tag(language);
    let cards = audit.deviations.iter();
    let cards = cards.map(|one| one.card(language)).collect();
    Ok((audit, cards))
}

/// A script that makes or mends the registration. It only looks until it is told to change something.
pub fn registration_script(
    shell: Shell,
    access: Access,
    name: &str,
    tenant: &str,
    client_id: Option<&str>,
) -> String {
    let wanted = Wanted {
        name: name.to_owned(),
        client_id: client_id.map(str::to_owned),
        tenant: tenant.to_owned(),
        access,
    };
    registration::script(&wanted, shell)
}

/// Saves a script as a text file.
///
/// # Errors
/// [`ErrorCode::CannotWriteFile`].
pub async fn save_registration_script(path: &Path, script: String) -> Result<(), ApiError> {
    save_text(path, script).await
}
