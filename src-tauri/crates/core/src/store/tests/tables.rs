//! Tables: what is written comes back, and counts add up.

use super::{
    NOW, address, database, entry, identity, new_address, new_ticket, person, registration, ticket,
};
use crate::account::EmailAddress;
use crate::diagnosis::{Finding, Severity};
use crate::store::events::{self, EventKind};
use crate::store::imports::{self, ImportState};
use crate::store::ledger::{self, LedgerEntry, Outcome};
use crate::store::messages::{self, NewAttachment, NewMessage};
use crate::store::settings::{self, Settings, Theme};
use crate::store::tickets;
use crate::store::{accounts, addresses, brands, marks};
use std::collections::BTreeMap;

const OUTCOMES: [Outcome; 4] = [
    Outcome::Imported,
    Outcome::Duplicate,
    Outcome::Skipped,
    Outcome::Failed,
];

fn finding() -> Finding {
    Finding {
        code: "AADSTS65001".into(),
        severity: Severity::Failed,
        args: BTreeMap::new(),
        evidence: None,
        sign_in_again: true,
        hand_off: None,
    }
}

#[test]
fn keeps_the_users_choices() {
    let (_folder, conn) = database();
    assert_eq!(settings::load_settings(&conn).unwrap(), Settings::default());
    let chosen = Settings {
        language: Some("ja".into()),
        theme: Theme::Dark,
        notifications: false,
        keep_in_tray: true,
        alert_after_min: 45,
        failure_list: "oncall@contoso.example".into(),
        quiet_from: Some("22:00".into()),
        quiet_to: Some("07:00".into()),
    };
    settings::save_settings(&conn, &chosen).unwrap();
    assert_eq!(settings::load_settings(&conn).unwrap(), chosen);
}

#[test]
fn knows_an_account_again_by_its_ids() {
    let (_folder, conn) = database();
    let id = accounts::upsert(&conn, &identity(), &registration()).unwrap();
    accounts::save_tokens(&conn, id, b"sealed", &["Mail.Send".to_owned()]).unwrap();
    let mut renamed = identity();
    renamed.login_name = "new@contoso.example".into();
    assert_eq!(
        accounts::upsert(&conn, &renamed, &registration()).unwrap(),
        id
    );
    let row = accounts::get(&conn, id).unwrap().unwrap();
    assert_eq!(
        (row.identity, row.registration),
        (renamed.clone(), registration())
    );
    assert_eq!(row.scopes, ["Mail.Send"]);
    assert_eq!(
        accounts::load_tokens(&conn, id).unwrap().unwrap(),
        b"sealed"
    );
    accounts::forget_tokens(&conn, id).unwrap();
    assert_eq!(accounts::load_tokens(&conn, id).unwrap(), None);
    renamed.object_id = "other".into();
    assert_ne!(
        accounts::upsert(&conn, &renamed, &registration()).unwrap(),
        id
    );
}

#[test]
fn an_address_gives_back_every_column_and_counts_its_failures() {
    let (_folder, conn) = database();
    let id = address(&conn, "Support@Contoso.example");
    let row = addresses::get(&conn, id).unwrap().unwrap();
    assert_eq!(row.address, "Support@contoso.example");
    assert_eq!(row.address_key, "support@contoso.example");
    assert_eq!(
        (row.brand.as_str(), row.cursor.as_deref()),
        ("Contoso", Some("start"))
    );
    addresses::record_failure(&conn, id, NOW, Some(&finding()), Some(NOW + 9)).unwrap();
    addresses::record_failure(&conn, id, NOW + 5, Some(&finding()), None).unwrap();
    let row = addresses::by_key(&conn, "support@contoso.example")
        .unwrap()
        .unwrap();
    assert_eq!((row.failures, row.failing_since), (2, Some(NOW)));
    assert_eq!((row.cause, row.next_poll_at), (Some(finding()), None));
    addresses::record_success(&conn, id, NOW + 7, Some(NOW + 60)).unwrap();
    let row = addresses::get(&conn, id).unwrap().unwrap();
    assert_eq!(
        (row.failures, row.failing_since, row.cause),
        (0, None, None)
    );
    assert_eq!(
        (row.last_success_at, row.next_poll_at),
        (Some(NOW + 7), Some(NOW + 60))
    );
    addresses::request_wake(&conn, id).unwrap();
    addresses::request_wake(&conn, id).unwrap();
    addresses::serve_wake(&conn, id, 1).unwrap();
    let row = addresses::get(&conn, id).unwrap().unwrap();
    assert_eq!((row.wake_requested, row.wake_served), (2, 1));
}

#[test]
fn tells_who_uses_an_address_and_how() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let alias = EmailAddress::parse("Help@contoso.example").unwrap();
    addresses::replace_aliases(&conn, id, &[alias]).unwrap();
    let user = |key: &str| addresses::user_of(&conn, key).unwrap();
    let uses = |how: &str| Some(("support@contoso.example".to_owned(), how.to_owned()));
    assert_eq!(user("support@contoso.example"), uses("connection"));
    assert_eq!(user("help@contoso.example"), uses("alias"));
    assert_eq!(user("sales@contoso.example"), None);
    let again = new_address(&conn, "SUPPORT@contoso.example");
    assert!(addresses::insert(&conn, &again).is_err());
    addresses::disconnect(&conn, id, NOW + 1).unwrap();
    assert_eq!(user("help@contoso.example"), None);
    assert_eq!(
        addresses::insert(&conn, &again).unwrap(),
        id,
        "taken up again"
    );
    assert!(!addresses::get(&conn, id).unwrap().unwrap().disconnected);
}

#[test]
fn has_one_default_and_drops_brands_nobody_uses() {
    let (_folder, conn) = database();
    let one = address(&conn, "support@contoso.example");
    let two = address(&conn, "sales@contoso.example");
    addresses::make_default(&conn, one).unwrap();
    addresses::make_default(&conn, two).unwrap();
    let defaults: Vec<_> = addresses::all(&conn)
        .unwrap()
        .into_iter()
        .filter(|row| row.is_default)
        .map(|row| row.id)
        .collect();
    assert_eq!(defaults, [two]);
    addresses::set_settings(&conn, one, "Fabrikam", 90, "").unwrap();
    addresses::set_settings(&conn, two, "Fabrikam", 90, "").unwrap();
    assert_eq!(brands::list(&conn).unwrap(), ["Contoso", "Fabrikam"]);
    assert_eq!(brands::remove_unused(&conn).unwrap(), 1);
    assert_eq!(brands::list(&conn).unwrap(), ["Fabrikam"]);
}

#[test]
fn ledger_totals_add_up_whatever_is_recorded_in_whatever_order() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let other = address(&conn, "sales@contoso.example");
    // A fixed walk through a linear congruential sequence: the same on every run.
    let mut state: u64 = 42;
    let mut expected: BTreeMap<u64, Outcome> = BTreeMap::new();
    for _ in 0..2_000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let message = (state >> 33) % 300;
        let outcome = OUTCOMES[(state >> 50) as usize % 4];
        ledger::record(&conn, &entry(id, &format!("m{message}"), outcome)).unwrap();
        let kept = expected.entry(message).or_insert(outcome);
        if *kept != Outcome::Imported {
            *kept = outcome;
        }
    }
    ledger::record(&conn, &entry(other, "m1", Outcome::Failed)).unwrap();
    let totals = ledger::totals(&conn, id).unwrap();
    let count = |outcome| expected.values().filter(|kept| **kept == outcome).count() as u32;
    assert_eq!(totals.found as usize, expected.len());
    assert_eq!(
        [
            totals.imported,
            totals.duplicate,
            totals.skipped,
            totals.failed
        ],
        OUTCOMES.map(count)
    );
    assert_eq!(
        totals.found,
        totals.imported + totals.duplicate + totals.skipped + totals.failed
    );
    for outcome in OUTCOMES {
        let listed = ledger::list(&conn, id, None, Some(outcome), 0, 1_000).unwrap();
        assert_eq!(listed.len() as u32, count(outcome));
    }
    let one = ledger::list(&conn, id, Some("m7@fabrikam.example"), None, 0, 10).unwrap();
    assert_eq!(one.len(), 1);
}

#[test]
fn an_imported_message_stays_imported_and_failures_count_attempts() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let (ticket_id, message_id) = ticket(&conn, id, "Subject", "text", NOW);
    let failed = |reason: &str, at| LedgerEntry {
        reason: Some(reason.into()),
        recorded_at: at,
        ..entry(id, "a", Outcome::Failed)
    };
    ledger::record(&conn, &failed("first", NOW)).unwrap();
    ledger::record(&conn, &failed("second", NOW + 1)).unwrap();
    let known = ledger::known(&conn, id, &["a".into(), "b".into()]).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known["a"], (Outcome::Failed, Some("second".into()), 2));
    assert!(
        ledger::failed_before(&conn, id, NOW + 1, 10)
            .unwrap()
            .is_empty()
    );
    let due = ledger::failed_before(&conn, id, NOW + 2, 10).unwrap();
    assert_eq!(due, [(failed("second", NOW + 1), 2)]);
    let imported = LedgerEntry {
        stored_message: Some(message_id),
        ..entry(id, "a", Outcome::Imported)
    };
    ledger::record(&conn, &imported).unwrap();
    ledger::record(&conn, &failed("late", NOW + 9)).unwrap();
    let rows = ledger::list(&conn, id, None, None, 0, 10).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].outcome, rows[0].ticket_id),
        (Outcome::Imported, Some(ticket_id))
    );
    assert_eq!(rows[0].reason, None);
}

#[test]
fn an_import_goes_through_its_list_once_and_its_totals_add_up() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let old = imports::start(&conn, id, 10, NOW, NOW).unwrap();
    let import = imports::start(&conn, id, 300, NOW, NOW + 1).unwrap();
    assert_eq!(
        imports::get(&conn, old).unwrap().unwrap().state,
        ImportState::Cancelled
    );
    let page = |ids: &[&str]| -> Vec<(String, String)> {
        ids.iter()
            .map(|id| ((*id).to_owned(), "{}".to_owned()))
            .collect()
    };
    assert_eq!(
        imports::add_items(&conn, import, 0, &page(&["a", "b", "c"])).unwrap(),
        3
    );
    assert_eq!(
        imports::add_items(&conn, import, 3, &page(&["c", "d", "e"])).unwrap(),
        2
    );
    assert_eq!(
        imports::add_items(&conn, import, 5, &page(&["f"])).unwrap(),
        1,
        "the place after the last is free"
    );
    assert_eq!(imports::items(&conn, import).unwrap(), 6);
    imports::record_item(&conn, import, "f", Outcome::Skipped).unwrap();
    imports::mark_listed(&conn, import).unwrap();
    let row = imports::current(&conn, id).unwrap().unwrap();
    assert_eq!(
        (row.id, row.listed, row.state),
        (import, true, ImportState::Running)
    );
    let ids = |limit| -> Vec<String> {
        let items = imports::next_items(&conn, import, limit).unwrap();
        items
            .into_iter()
            .map(|(_, server_id, _)| server_id)
            .collect()
    };
    assert_eq!(ids(2), ["e", "d"], "the oldest first");
    for (server_id, outcome) in ["a", "b", "c", "d"].iter().zip(OUTCOMES) {
        imports::record_item(&conn, import, server_id, outcome).unwrap();
    }
    assert_eq!(ids(9), ["e"]);
    let (totals, pending) = imports::totals(&conn, import).unwrap();
    assert_eq!(
        [
            totals.found,
            totals.imported,
            totals.duplicate,
            totals.skipped,
            totals.failed,
            pending
        ],
        [6, 1, 1, 2, 1, 1]
    );
    assert_eq!(imports::unfinished(&conn).unwrap().len(), 1);
    imports::set_state(&conn, import, ImportState::Done, NOW + 5).unwrap();
    assert!(imports::unfinished(&conn).unwrap().is_empty());
    let row = imports::current(&conn, id).unwrap().unwrap();
    assert_eq!(row.ended_at, Some(NOW + 5));
}

#[test]
fn a_ticket_shows_its_newest_message_and_finds_its_twin() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let other = address(&conn, "sales@contoso.example");
    let mail = |address_id: i64, ticket_id: i64, message_id: &str, at: i64| NewMessage {
        ticket_id,
        address_id,
        message_id: Some(message_id.into()),
        fingerprint: Some([message_id.len() as u8; 32]),
        from: person("", "robin@fabrikam.example"),
        to: vec![person("Support", "support@contoso.example")],
        received_at: at,
        text: format!("  text of\n\n {message_id} {}", "x".repeat(500)),
        raw: message_id.to_owned().into(),
        ..NewMessage::default()
    };
    let ticket_id = tickets::insert(&conn, &new_ticket(id, NOW)).unwrap();
    let mut second = mail(id, ticket_id, "second", NOW + 10);
    second.attachments = vec![
        NewAttachment {
            part: 2,
            name: "logo.png".into(),
            inline: true,
            ..NewAttachment::default()
        },
        NewAttachment {
            part: 3,
            name: "bill.pdf".into(),
            media_type: "application/pdf".into(),
            size: 9,
            ..NewAttachment::default()
        },
    ];
    let second_id = messages::insert(&conn, &second).unwrap();
    messages::insert(&conn, &mail(id, ticket_id, "first", NOW)).unwrap();
    let twin = tickets::insert(&conn, &new_ticket(other, NOW)).unwrap();
    messages::insert(&conn, &mail(other, twin, "second", NOW)).unwrap();

    let view = tickets::view(&conn, ticket_id).unwrap().unwrap();
    assert_eq!(
        (view.ticket.messages, view.ticket.updated_at),
        (2, NOW + 10)
    );
    assert!(view.ticket.preview.starts_with("text of second xxx"));
    assert_eq!(view.ticket.preview.chars().count(), 200);
    assert!(view.ticket.has_attachments);
    assert_eq!(view.same_mail_in, [twin]);
    let texts: Vec<_> = view
        .messages
        .iter()
        .map(|message| message.received_at)
        .collect();
    assert_eq!(texts, [NOW, NOW + 10]);
    let attachments = &view.messages[1].attachments;
    assert_eq!(attachments.len(), 1, "inline images are left out");
    let place = messages::attachment(&conn, attachments[0].id)
        .unwrap()
        .unwrap();
    assert_eq!((place.message_id, place.part), (second_id, 3));
    assert_eq!(messages::raw(&conn, second_id).unwrap().unwrap(), b"second");
    assert_eq!(view.messages[1].to[0].name, "Support");

    let references = ["unknown".to_owned(), "first".to_owned()];
    assert_eq!(
        messages::find_ticket(&conn, id, None, &references).unwrap(),
        Some(ticket_id)
    );
    assert_eq!(
        messages::find_ticket(&conn, other, None, &references).unwrap(),
        None
    );
    assert_eq!(
        messages::find_fingerprint(&conn, id, &[6; 32]).unwrap(),
        Some((second_id, ticket_id))
    );
    assert!(tickets::view(&conn, 999).unwrap().is_none());
}

#[test]
fn counts_new_and_open_tickets_and_the_hours_of_a_day() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let hour = 3_600_000;
    for at in [
        NOW,
        NOW - hour + 1,
        NOW - hour,
        NOW - 24 * hour + 1,
        NOW - 24 * hour,
        NOW + 1,
    ] {
        ticket(&conn, id, "Subject", "text", at);
    }
    let mut imported = new_ticket(id, NOW);
    imported.imported = true;
    tickets::insert(&conn, &imported).unwrap();
    assert_eq!(tickets::created_since(&conn, id, NOW).unwrap(), 2);
    assert_eq!(tickets::open_count(&conn, id).unwrap(), 7);
    let mut hours = [0; 24];
    (hours[23], hours[22], hours[0]) = (2, 1, 1);
    assert_eq!(tickets::activity(&conn, id, NOW).unwrap(), hours);
}

#[test]
fn marks_wait_for_their_time_and_leave_when_done() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let mark = |server_id, category| marks::NewMark {
        folder_id: "inbox",
        server_id,
        category,
        follow: marks::STAY,
    };
    marks::add(&conn, id, &mark("a", Some("Mailroom"))).unwrap();
    marks::add(&conn, id, &mark("a", None)).unwrap();
    marks::add(&conn, id, &mark("b", Some("Mailroom"))).unwrap();
    let due = marks::due(&conn, id, NOW, 10).unwrap();
    assert_eq!(due.len(), 2);
    assert_eq!(due[0].category, None);
    marks::retry(&conn, due[0].id, NOW + 1).unwrap();
    marks::done(&conn, due[1].id).unwrap();
    assert!(marks::due(&conn, id, NOW, 10).unwrap().is_empty());
    assert_eq!(marks::due(&conn, id, NOW + 1, 10).unwrap()[0].attempts, 1);
    assert_eq!(marks::pending(&conn, id).unwrap(), 1);
}

#[test]
fn a_timeline_keeps_its_newest_thousand() {
    let (_folder, conn) = database();
    let id = address(&conn, "support@contoso.example");
    let other = address(&conn, "sales@contoso.example");
    let args = BTreeMap::from([("count".to_owned(), "3".to_owned())]);
    events::add(&conn, other, NOW, EventKind::Connected, &BTreeMap::new()).unwrap();
    for at in 0..1_003 {
        events::add(&conn, id, at, EventKind::Fetched, &args).unwrap();
    }
    let events = events::list(&conn, id, 5_000).unwrap();
    assert_eq!(
        (events.len(), events[0].at, events[999].at),
        (1_000, 1_002, 3)
    );
    assert_eq!(
        (events[0].kind, &events[0].args),
        (EventKind::Fetched, &args)
    );
    assert_eq!(events::list(&conn, other, 5).unwrap().len(), 1);
}
