//! Everything a shell may ask of Mailroom. The window and the command line call these functions and nothing
//! else; [`view`] holds what they get back and [`error`] how a failure reaches them.

mod addresses;
mod after_import;
mod agents;
mod bundle;
mod connect;
mod convert;
mod diagnosis;
pub mod error;
mod folders;
mod forecast;
mod forwarding;
mod handoff;
mod host;
mod imap;
mod imports;
mod issuer;
mod moving;
mod practice;
mod registration;
mod replies;
mod servers;
mod smtp;
mod tickets;
pub mod view;

pub use addresses::*;
pub use after_import::*;
pub use agents::*;
pub use bundle::*;
pub use connect::*;
pub use convert::{ConvertTo, convert_to_oauth};
pub use diagnosis::*;
pub use folders::{folders, folders_of_attempt, set_folder};
pub use forecast::{AddressForecast, forecast, forecasts};
pub use forwarding::{ForwardingCheck, ask_for_forwarding, look_for_forwarding};
pub use handoff::*;
pub use imap::*;
pub use imports::*;
pub use issuer::IssuerInput;
pub use practice::*;
pub use registration::*;
pub use replies::*;
pub use servers::*;
pub use smtp::*;
pub use tickets::*;

use crate::app::App;
use crate::diagnosis::catalogue::{self, Card, Language};
use crate::diagnosis::explain::{self, Explanation};
use crate::store::settings;
use crate::sync::silence;
use error::{ApiError, ErrorCode};
use std::collections::BTreeMap;
use view::{AppView, Settings};

/// The state a shell starts from.
///
/// # Errors
/// The database cannot be read.
pub async fn app_view(app: &App) -> Result<AppView, ApiError> {
    let settings = app.context.store.read(settings::load_settings).await?;
    Ok(AppView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        data_dir: app.data_dir.display().to_string(),
        polling: app.polling(),
        has_own_registration: app.own_registration.is_some(),
        sandbox: app.sandbox(),
        settings,
    })
}

/// Stores the user's choices.
///
/// # Errors
/// [`ErrorCode::OutOfRange`] for a language other than en, de, ja, for a number of minutes other than 0 and 5 to 1,440 and
/// for quiet hours that are no times (`value` without limits); [`ErrorCode::InvalidAddress`] for a failure list with something
/// else in it, all of which is named; the database cannot be written.
pub async fn save_settings(app: &App, settings: Settings) -> Result<(), ApiError> {
    if let Some(language) = &settings.language
        && !["en", "de", "ja"].contains(&language.as_str())
    {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", language));
    }
    check_alerts(&settings)?;
    app.context
        .store
        .write(move |tx| settings::save_settings(tx, &settings))
        .await?;
    Ok(())
}

/// Whether desktop notifications are wanted at this moment: they are switched on, and it is no quiet hour.
///
/// # Errors
/// The database cannot be read.
pub async fn wants_notifications(app: &App) -> Result<bool, ApiError> {
    let settings = app.context.store.read(settings::load_settings).await?;
    let now = app.context.clock.now();
    let quiet = silence::QuietHours::of(&settings).is_some_and(|hours| hours.hold(now));
    Ok(settings.notifications && !quiet)
}

/// Minutes without a successful poll that may be chosen, beside 0.
const ALERT_AFTER: std::ops::RangeInclusive<u32> = 5..=1_440;

fn check_alerts(settings: &Settings) -> Result<(), ApiError> {
    let minutes = settings.alert_after_min;
    if minutes != 0 && !ALERT_AFTER.contains(&minutes) {
        return Err(ApiError::new(ErrorCode::OutOfRange)
            .arg("value", minutes)
            .arg("least", ALERT_AFTER.start())
            .arg("most", ALERT_AFTER.end()));
    }
    if let (Some(from), Some(to)) = (&settings.quiet_from, &settings.quiet_to)
        && silence::QuietHours::parse(from, to).is_none()
    {
        return Err(ApiError::new(ErrorCode::OutOfRange).arg("value", format!("{from}-{to}")));
    }
    silence::recipients(&settings.failure_list)
        .map(|_| ())
        .map_err(|text| ApiError::new(ErrorCode::InvalidAddress).arg("value", text))
}

/// The catalogue's card for a finding's code, in `language` (en, de, ja). Its links may then be opened.
pub fn explain(app: &App, code: &str, args: &BTreeMap<String, String>, language: &str) -> Card {
    let card = catalogue::card(code, args, Language::from_tag(language));
    app.offer_links(card.links.iter().map(|link| link.url.as_str()));
    card
}

/// Explains a pasted text in `language` (en, de, ja), without a network. There is at least one explanation; the links
/// of its card may then be opened.
pub fn explain_text(app: &App, text: &str, language: &str) -> Vec<Explanation> {
    let explanations = explain::explain(text, Language::from_tag(language));
    for Explanation { card, .. } in &explanations {
        app.offer_links(card.links.iter().map(|link| link.url.as_str()));
    }
    explanations
}

/// Opens a link that a card has shown.
///
/// # Errors
/// [`ErrorCode::NotFound`] for any other link, [`ErrorCode::NoBrowser`].
pub async fn open_link(app: &App, url: &str) -> Result<(), ApiError> {
    if !app.is_offered(url) {
        return Err(ApiError::new(ErrorCode::NotFound).arg("value", url));
    }
    app.desktop
        .open_url(url, false)
        .await
        .map_err(|reason| ApiError::new(ErrorCode::NoBrowser).because(reason))
}
