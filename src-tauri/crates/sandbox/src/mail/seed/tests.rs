use std::collections::BTreeSet;

use super::*;
use crate::tenant::mailboxes::summary::{self, Summary};

fn filled() -> Mailboxes {
    let mut all = Mailboxes::default();
    let now: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    fill(&mut all, &Directory::contoso(), now);
    all
}

#[test]
fn the_support_inbox_holds_every_kind_of_mail() {
    let all = filled();
    let mailbox = all.get(SUPPORT).unwrap();
    let inbox = mailbox.folder(mailbox.well_known("inbox")).unwrap();
    assert!(inbox.by_time.len() >= 1_200);
    let messages: Vec<_> = inbox
        .by_time
        .iter()
        .map(|(_, k)| mailbox.message(*k).unwrap())
        .collect();
    let raws: Vec<String> = messages
        .iter()
        .map(|m| String::from_utf8_lossy(&m.raw).into_owned())
        .collect();
    let counted = |part: &str| raws.iter().filter(|raw| raw.contains(part)).count();
    for (part, least) in [
        ("ISO-2022-JP", 60),
        ("charset=\"Shift_JIS\"", 20),
        ("=?utf-8?Q?", 50),
        ("=?utf-8?B?", 50),
        ("=?ISO-2022-JP?", 40),
        ("filename*=utf-8''", 30),
        ("application/pdf", 15),
        ("image/png", 20),
        ("text/csv", 15),
        ("application/zip", 15),
        ("Content-ID: <", 20),
        ("List-Unsubscribe-Post", 30),
        ("Auto-Submitted: auto-replied", 40),
        ("multipart/report", 20),
        ("List-Id: Machine", 30),
        ("text/calendar", 10),
        ("References: <", 200),
        ("☕", 0),
    ] {
        assert!(counted(part) >= least, "{part}: {}", counted(part));
    }
    let summaries: Vec<&Summary> = messages.iter().map(|m| m.summary()).collect();
    assert!(summaries.iter().filter(|s| s.message_id.is_none()).count() >= 8);
    assert!(summaries.iter().filter(|s| s.subject.is_none()).count() >= 5);
    assert!(
        summaries
            .iter()
            .any(|s| s.subject.as_ref().is_some_and(|s| s.chars().count() > 250))
    );
    assert!(
        summaries
            .iter()
            .any(|s| s.subject.as_ref().is_some_and(|s| s.contains('☕')))
    );
    assert!(
        messages
            .iter()
            .filter(|m| summary::plain_text(&m.raw).trim().is_empty())
            .count()
            >= 5
    );
    assert!(messages.iter().filter(|m| m.is_read).count() > 400);
    assert!(messages.iter().filter(|m| !m.categories.is_empty()).count() > 30);
    let subjects: BTreeSet<_> = summaries.iter().filter_map(|s| s.subject.clone()).collect();
    assert!(subjects.len() > 500, "{}", subjects.len());
    let garbled = summaries
        .iter()
        .filter(|s| s.preview.contains('\u{fffd}') || s.preview.contains("&#"))
        .count();
    assert_eq!(garbled, 0);
    assert!(
        raws.iter()
            .all(|raw| !raw.contains('{') || raw.contains("<style>") || !raw.contains("{n}"))
    );
}

#[test]
fn everybody_but_the_administrator_has_mail_and_answers_are_sent() {
    let all = filled();
    assert!(all.get("admin@contoso.example").is_none());
    let alex = all.get("alex@contoso.example").unwrap();
    let count = alex.folder(alex.well_known("inbox")).unwrap().by_time.len();
    assert!((10..=40).contains(&count));
    let support = all.get(SUPPORT).unwrap();
    assert!(
        support
            .folder(support.well_known("sentitems"))
            .unwrap()
            .by_time
            .len()
            > 200
    );
    assert!(support.find_folder("inbox").unwrap().unread > 300);
}

#[test]
fn the_same_seed_writes_the_same_mail() {
    let ids = |all: &Mailboxes| {
        let mailbox = all.get("mika@contoso.example").unwrap();
        let raws = mailbox
            .by_time()
            .iter()
            .map(|(_, k)| mailbox.message(*k).unwrap().summary().message_id.clone());
        raws.filter(|id| id.as_ref().is_none_or(|id| !id.contains("contoso")))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&filled()), ids(&filled()));
}
