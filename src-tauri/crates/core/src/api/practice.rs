//! Practising: what the practice tenant can break, in words.

use super::error::ApiError;
use super::view::{PracticeView, SandboxUser};
use crate::app::App;
use crate::diagnosis::catalogue::Language;
use crate::diagnosis::practice::{self, Scenario};
use crate::store::addresses;

/// What can be practised, in `language` (en, de, ja), and the account that mends what an admin mends. The pages on which
/// that is done may then be opened.
pub fn practice(
    app: &App,
    scenarios: &[Scenario],
    admin: Option<SandboxUser>,
    language: &str,
) -> PracticeView {
    let language = Language::from_tag(language);
    let exercises: Vec<_> = scenarios
        .iter()
        .filter_map(|scenario| practice::exercise(scenario, language))
        .collect();
    app.offer_links(exercises.iter().filter_map(|one| one.page.as_deref()));
    PracticeView { exercises, admin }
}

/// Polls the practice addresses at once, after something was broken or mended in the practice tenant. Their former
/// refusals are forgotten, and how long to stay away: such pauses spare Microsoft's services, and practising does not
/// reach them. Real addresses are left alone.
///
/// # Errors
/// The database cannot be read or written.
pub async fn poll_practice(app: &App) -> Result<(), ApiError> {
    for row in app.context.store.read(addresses::all).await? {
        if row.sandbox && !row.disconnected {
            app.context.connections.forget(row.account_id);
            app.context
                .store
                .write(move |tx| addresses::set_wait_until(tx, row.id, 0))
                .await?;
            super::sync_now(app, Some(row.id)).await?;
        }
    }
    Ok(())
}
