//! What will end, and when.

use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::api;
use mailroom_core::diagnosis::Severity;
use serde_json::json;

/// `forecast`
pub(crate) async fn forecast(common: &Common, address: Option<&str>) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let language = session::language(common);
    let chosen = match address {
        Some(address) => Some(api::find_address(&app, address).await?),
        None => None,
    };
    let mut all = Vec::new();
    let mut rows = Vec::new();
    for view in api::list_addresses(&app).await? {
        if chosen.is_some_and(|id| id != view.id) {
            continue;
        }
        let items = api::forecast(&app, view.id).await?;
        for item in &items {
            let mark = match item.severity {
                Severity::Ok => "",
                Severity::Warning => "!",
                Severity::Failed => "!!",
            };
            let card = api::explain(&app, &item.code, &item.args, &language);
            rows.push(vec![
                view.address.clone(),
                day(item.at),
                mark.to_owned(),
                card.title,
            ]);
        }
        all.push(json!({ "address": view.address, "items": items }));
    }
    session::close(&app).await;
    if common.json {
        print::json(&all);
    } else {
        print::table(&["Address", "On", "", "What"], &rows);
    }
    Ok(())
}

/// The local day.
fn day(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(
        |_| String::new(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).date().to_string(),
    )
}
