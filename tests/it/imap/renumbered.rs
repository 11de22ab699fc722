//! A folder that is made anew, with new numbers for all its mail, in the middle of things: nothing is lost, nothing is
//! doubled, and the counts are right.

use super::Desk;
use super::dovecot::{Dovecot, PASSWORD};
use super::gate::Gate;
use super::gate::Stop::{After, Before};
use crate::world::wait;
use mailroom_core::api;
use mailroom_core::store::ledger::Outcome;
use std::collections::BTreeSet;
use std::time::Duration;

/// Mails here when the import begins.
const MAILS: u32 = 130;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_and_a_poll_that_the_folder_changes_under_lose_and_double_nothing() {
    let mut server = Dovecot::start().await;
    for number in 0..MAILS {
        let age = i64::from(number) - 86_400;
        server.deliver("new", &format!("old-{number}@contoso.example"), age);
    }
    let gate = Gate::before(&server).await;
    let desk = Desk::new(Some(&server.papers.ca)).await;
    // While it is listed, at the first mails, and in the middle of them.
    let stops = [
        After("(UID INTERNALDATE)"),
        Before("BODY.PEEK[])"),
        After("BODY.PEEK[])"),
    ];
    gate.stop(stops[0]);
    let view = desk
        .connect(gate.port, PASSWORD, None, Some(MAILS))
        .await
        .unwrap();
    // A line that was cut is tried again at leisure; whoever looks at the window does not wait for that.
    let app = desk.app.clone();
    let impatience = tokio::spawn(async move {
        while api::sync_now(&app, Some(view.id)).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    for (number, stop) in stops.into_iter().enumerate() {
        gate.has_fallen(&format!("the gate falls at {stop:?}"))
            .await;
        server.renumber().await;
        match stops.get(number + 1) {
            Some(next) => gate.stop_next(*next),
            None => gate.lift(),
        }
    }
    wait("the import is over", async || {
        desk.view(view.id).await.import.unwrap().ended_at
    })
    .await;
    impatience.abort();
    let import = desk.view(view.id).await.import.unwrap();
    let totals = &import.totals;
    assert_eq!(
        (
            totals.found,
            totals.imported + totals.duplicate,
            totals.failed
        ),
        (MAILS, MAILS, 0),
        "{import:?}"
    );

    // A poll, between the list of what is new and the mails themselves.
    for stop in [After("HEADER.FIELDS"), After("BODY.PEEK[])")] {
        gate.stop(stop);
        server.deliver(
            "new",
            &format!("new-{}@contoso.example", stop_name(stop)),
            1,
        );
        api::sync_now(&desk.app, Some(view.id)).await.unwrap();
        gate.has_fallen(&format!("the gate falls at {stop:?}"))
            .await;
        server.renumber().await;
        gate.lift();
    }
    let all = usize::try_from(MAILS).unwrap() + 2;
    desk.imported(view.id, all).await;
    let rows = desk.ledger(view.id, Outcome::Imported).await;
    let ids: BTreeSet<_> = rows.iter().map(|row| row.message_id.clone()).collect();
    assert_eq!(ids.len(), all, "each is imported once");
    assert!(desk.ledger(view.id, Outcome::Failed).await.is_empty());
    desk.app.close().await;
}

fn stop_name(stop: super::gate::Stop) -> &'static str {
    match stop {
        Before(_) => "before",
        After(text) if text.starts_with('B') => "bodies",
        After(_) => "list",
    }
}
