//! Hand-offs and test mails.

use super::{NOW, database, new_address, registration};
use crate::account::{EmailAddress, Registration};
use crate::diagnosis::handoff::HandOffKind;
use crate::diagnosis::{Finding, Severity};
use crate::store::handoffs::{self, NewHandOff};
use crate::store::{accounts, addresses, own_tests};

fn support() -> EmailAddress {
    EmailAddress::parse("Support@contoso.example").unwrap()
}

fn wanted(registration: &Registration, state: &str) -> NewHandOff {
    NewHandOff {
        address: support(),
        kind: HandOffKind::Approval,
        code: "AADSTS65001".to_owned(),
        args: Default::default(),
        by_sending: false,
        registration: registration.clone(),
        scopes: vec!["Mail.Send".to_owned()],
        state: state.to_owned(),
    }
}

#[test]
fn asking_again_keeps_since_when_unless_the_admin_refused_or_the_app_is_another_one() {
    let (_folder, db) = database();
    let ask = |registration: &Registration, state: &str, now| {
        let id = handoffs::ask(&db, &wanted(registration, state), now).unwrap();
        handoffs::get(&db, id).unwrap().unwrap()
    };
    let first = ask(&registration(), "s1", NOW);
    assert_eq!(ask(&registration(), "s2", NOW + 5), first);
    assert_eq!((first.asked_at, first.state.as_str()), (NOW, "s1"));

    handoffs::set_denied(&db, &support().key(), NOW + 6).unwrap();
    assert!(handoffs::all(&db).unwrap()[0].denied);
    let after = ask(&registration(), "s3", NOW + 7);
    assert_eq!((after.asked_at, after.denied), (NOW + 7, false));

    let other = Registration {
        client_id: "other".into(),
        ..registration()
    };
    let moved = ask(&other, "s4", NOW + 8);
    assert_eq!((moved.id, moved.asked_at), (first.id, NOW + 8));
    assert_eq!(handoffs::all(&db).unwrap(), vec![moved]);
    assert!(handoffs::remove(&db, first.id).unwrap());
    assert!(!handoffs::remove(&db, first.id).unwrap());
}

#[test]
fn an_address_that_works_waits_for_nothing() {
    let (_folder, db) = database();
    let id = addresses::insert(&db, &new_address(&db, "support@contoso.example")).unwrap();
    let ask = || {
        handoffs::ask(&db, &wanted(&registration(), "s"), NOW).unwrap();
        let row = handoffs::approval_of(&db, "support@contoso.example");
        assert_eq!(row.unwrap().unwrap().address_id, Some(id));
    };
    let account = addresses::get(&db, id).unwrap().unwrap().account_id;
    let granted = ["User.Read".to_owned(), "mail.send".to_owned()];
    accounts::save_tokens(&db, account, b"sealed", &granted).unwrap();
    ask();
    addresses::record_success(&db, id, NOW, None).unwrap();
    assert!(handoffs::all(&db).unwrap().is_empty());
    ask();
    addresses::record_recovery(&db, id).unwrap();
    assert!(handoffs::all(&db).unwrap().is_empty());
    ask();
    addresses::reconnect(&db, id, account, 0).unwrap();
    assert!(handoffs::all(&db).unwrap().is_empty());
}

#[test]
fn a_test_mail_is_known_by_its_id_or_its_subject_and_what_was_measured_stays() {
    let (_folder, db) = database();
    let id = addresses::insert(&db, &new_address(&db, "support@contoso.example")).unwrap();
    let test = own_tests::begin(&db, id, "m1@contoso.example", "t1", NOW).unwrap();
    for (message_id, subject, found) in [
        (Some("m1@contoso.example"), "Re: whatever", true),
        (Some("other@contoso.example"), "Mailroom test t1", true),
        (None, "t1", true),
        (None, "Mailroom test t1 and more", false),
        (None, "", false),
        (Some("m2@contoso.example"), "Mailroom test t2", false),
    ] {
        let seen = own_tests::find(&db, message_id, subject).unwrap();
        assert_eq!(seen, found.then_some(test), "{message_id:?} {subject}");
    }
    own_tests::seen(&db, test, id, NOW - 400).unwrap();
    let latest = || own_tests::latest(&db, id).unwrap().unwrap();
    assert_eq!(
        (latest().arrived_at, latest().took_ms),
        (Some(NOW), Some(0))
    );
    own_tests::arrived(&db, test, NOW + 900, 900, true).unwrap();
    assert!(latest().in_inbox);
    // Another address of the same mailbox says nothing about the folder of this one; its own poll does.
    own_tests::seen(&db, test, id + 1, NOW + 5_000).unwrap();
    assert!(latest().in_inbox);
    own_tests::seen(&db, test, id, NOW + 5_000).unwrap();
    assert_eq!((latest().took_ms, latest().in_inbox), (Some(900), false));

    let second = own_tests::begin(&db, id, "m2@contoso.example", "t2", NOW).unwrap();
    let refusal = Finding::plain("ErrorSendAsDenied", Severity::Failed);
    own_tests::refused(&db, second, &refusal).unwrap();
    assert_eq!(latest().refusal, Some(refusal));
    assert_eq!(latest().arrived_at, None);
}

#[test]
fn reading_and_sending_settle_what_they_prove_and_nothing_else() {
    let (_folder, db) = database();
    let id = addresses::insert(&db, &new_address(&db, "support@contoso.example")).unwrap();
    let right = |code: &str, by_sending| NewHandOff {
        kind: HandOffKind::Mailbox,
        code: code.to_owned(),
        by_sending,
        ..wanted(&registration(), "s")
    };
    handoffs::ask(&db, &wanted(&registration(), "s"), NOW).unwrap();
    handoffs::ask(&db, &right("full_access_missing", false), NOW + 1).unwrap();
    handoffs::ask(&db, &right("ErrorSendAsDenied", true), NOW + 2).unwrap();
    let codes = || {
        let all = handoffs::of_address(&db, "support@contoso.example").unwrap();
        all.into_iter().map(|row| row.code).collect::<Vec<_>>()
    };
    assert_eq!(codes().len(), 3);
    // Mail can be read without the permission that the approval is about.
    addresses::record_success(&db, id, NOW + 3, None).unwrap();
    assert_eq!(codes(), ["AADSTS65001", "ErrorSendAsDenied"]);
    let account = addresses::get(&db, id).unwrap().unwrap().account_id;
    let granted = ["Mail.Send".to_owned()];
    accounts::save_tokens(&db, account, b"sealed", &granted).unwrap();
    addresses::record_success(&db, id, NOW + 4, None).unwrap();
    assert_eq!(codes(), ["ErrorSendAsDenied"]);
    handoffs::settle_sending(&db, id).unwrap();
    assert!(codes().is_empty());
}
