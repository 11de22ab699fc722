//! Tickets and the ledger.

use crate::args::{Common, OutcomeChoice};
use crate::{Failure, print, session};
use mailroom_core::api;
use mailroom_core::api::view::{Outcome, TicketQuery};

/// `tickets`
pub(crate) async fn list(
    common: &Common,
    address: Option<String>,
    search: Option<String>,
    offset: u32,
    limit: u32,
) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    if let Some(address) = &address {
        api::find_address(&app, address).await?;
    }
    let page = api::list_tickets(
        &app,
        TicketQuery {
            address,
            search,
            offset,
            limit,
        },
    )
    .await?;
    if common.json {
        print::json(&page);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = page
        .tickets
        .iter()
        .map(|ticket| {
            vec![
                ticket.id.to_string(),
                date(ticket.updated_at),
                print::cut(&ticket.requester, 24),
                ticket.messages.to_string(),
                print::cut(&ticket.subject, 60),
            ]
        })
        .collect();
    print::table(&["ID", "UPDATED", "REQUESTER", "MAILS", "SUBJECT"], &rows);
    print::line(&format!("{} of {}", page.tickets.len(), page.total));
    Ok(())
}

/// `ticket`
pub(crate) async fn show(common: &Common, id: i64) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let view = api::ticket(&app, id).await?;
    if common.json {
        print::json(&view);
        return Ok(());
    }
    print::line(&format!(
        "#{} {}",
        view.ticket.id,
        print::plain(&view.ticket.subject)
    ));
    for message in &view.messages {
        print::line("");
        print::line(&format!(
            "{}  {} <{}>",
            date(message.received_at),
            print::plain(&message.from.name),
            print::plain(&message.from.address)
        ));
        for attachment in &message.attachments {
            print::line(&format!(
                "[{} · {} bytes]",
                print::plain(&attachment.name),
                attachment.size
            ));
        }
        print::line(&print::plain(&message.text));
    }
    Ok(())
}

/// `ledger`
pub(crate) async fn ledger(
    common: &Common,
    address: &str,
    message_id: Option<String>,
    outcome: Option<OutcomeChoice>,
    offset: u32,
    limit: u32,
) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let id = api::find_address(&app, address).await?;
    let outcome = outcome.map(|outcome| match outcome {
        OutcomeChoice::Imported => Outcome::Imported,
        OutcomeChoice::Duplicate => Outcome::Duplicate,
        OutcomeChoice::Skipped => Outcome::Skipped,
        OutcomeChoice::Failed => Outcome::Failed,
    });
    let rows = api::ledger(&app, id, message_id, outcome, offset, limit).await?;
    let totals = api::address_details(&app, id).await?.totals;
    if common.json {
        print::json(&serde_json::json!({ "totals": totals, "messages": rows }));
        return Ok(());
    }
    print::totals(&totals);
    let table: Vec<Vec<String>> = rows
        .iter()
        .map(|row| {
            vec![
                date(row.received_at),
                format!("{:?}", row.outcome).to_lowercase(),
                row.reason.clone().unwrap_or_else(|| "-".into()),
                row.ticket_id.map_or("-".into(), |id| format!("#{id}")),
                print::cut(&row.from, 30),
                print::cut(&row.subject, 50),
            ]
        })
        .collect();
    print::table(
        &["RECEIVED", "OUTCOME", "REASON", "TICKET", "FROM", "SUBJECT"],
        &table,
    );
    Ok(())
}

fn date(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| "-".into(),
        |at| {
            at.to_zoned(jiff::tz::TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        },
    )
}
