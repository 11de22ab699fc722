//! Every card in every language as plain text, compared with the files in `catalogue/snapshots`. After a wanted change
//! `MAILROOM_RENEW_SNAPSHOTS=1 cargo test -p mailroom-core snapshots` writes them anew; the difference is then read
//! like any other change.

use super::super::{Card, Language, card, entries};
use super::HOSTILE;
use crate::account::Registration;
use crate::diagnosis::handoff::{HandOffKind, REDIRECT, consent_link, messages};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use url::Url;

/// Every placeholder with a value as it should be.
fn usual() -> BTreeMap<String, String> {
    [
        ("address", "support@contoso.example"),
        ("authority", "https://login.microsoftonline.com"),
        ("by", "sales@contoso.example"),
        ("client_id", "11111111-2222-3333-4444-555555555555"),
        ("correlation_id", "99999999-8888-7777-6666-555555555555"),
        ("folder", "Requests/Tech"),
        ("host", "mail.contoso.example"),
        ("login", "kim@contoso.example"),
        ("redirect_uri", "http://localhost"),
        ("scope", "Mail.ReadWrite"),
        ("service_account", "svc@contoso.example"),
        ("state", "s-1"),
        ("tenant", "contoso.example"),
        ("virtual_directory", "EWS"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn draw(out: &mut String, card: &Card) {
    let _ = writeln!(out, "== {} [{:?}] {}", card.code, card.severity, card.title);
    let _ = writeln!(out, "{}", card.meaning);
    let _ = writeln!(out, "-> {}", card.fixer_labels.join(" / "));
    for (number, step) in card.steps.iter().enumerate() {
        let _ = writeln!(out, "{}. {step}", number + 1);
    }
    for command in &card.commands {
        let sign = if command.writes { '!' } else { '>' };
        let _ = writeln!(out, "{sign} {} | {}", command.text, command.label);
    }
    for link in &card.links {
        let _ = writeln!(out, "@ {} | {}", link.url, link.label);
    }
    for note in &card.notes {
        let _ = writeln!(out, "* {note}");
    }
    out.push('\n');
}

fn cards(language: Language) -> String {
    let mut out = String::new();
    for entry in entries() {
        draw(&mut out, &card(&entry.code, &usual(), language));
    }
    out
}

/// What hostile values become in everything that is generated: commands, links, sentences, messages for the admin.
fn hostile() -> String {
    let mut out = String::new();
    for value in HOSTILE {
        let args: BTreeMap<String, String> = usual()
            .into_keys()
            .filter(|name| name != "authority")
            .map(|name| (name, value.to_owned()))
            .collect();
        let _ = writeln!(out, "#### {}", value.escape_unicode());
        for code in [
            "ErrorSendAsDenied",
            "AADSTS65001",
            "AADSTS50011",
            "wrong_account",
        ] {
            draw(&mut out, &card(code, &args, Language::En));
        }
        let registration = Registration {
            authority: Url::parse("https://login.contoso.example/").unwrap(),
            graph_url: Url::parse("https://graph.contoso.example/").unwrap(),
            tenant: value.to_owned(),
            client_id: value.to_owned(),
            issuer: None,
        };
        let scopes = ["Mail.ReadWrite".to_owned()];
        let link = consent_link(&registration, &scopes, value, REDIRECT);
        let values = ["address", "client_id"].map(|name| (name.to_owned(), value.to_owned()));
        let (kind, code) = (HandOffKind::Approval, "consent_required");
        let messages = messages(kind, code, &values.into(), &scopes, Some(&link));
        for message in [messages.en, messages.de, messages.ja] {
            let _ = writeln!(out, "Subject: {}\n\n{}\n", message.subject, message.text);
        }
    }
    out
}

fn compare(name: &str, now: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/diagnosis/catalogue/snapshots")
        .join(name);
    if std::env::var_os("MAILROOM_RENEW_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(now.lines())
        .find(|(kept, now)| kept != now);
    assert_eq!(differs, None, "{name}; see the head of this file");
    assert!(
        kept == now,
        "{name} is longer or shorter; see the head of this file"
    );
}

#[test]
fn every_card_reads_in_every_language_as_it_was_approved() {
    for (language, name) in Language::ALL
        .into_iter()
        .zip(["en.txt", "de.txt", "ja.txt"])
    {
        compare(name, &cards(language));
    }
}

#[test]
fn hostile_values_come_out_harmless_as_they_were_approved() {
    let text = hostile();
    let unseen = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let found = text.lines().find(|line| line.contains(unseen));
    assert_eq!(found, None);
    // A line break in a value makes no line of its own.
    assert!(
        !text
            .lines()
            .any(|line| line.starts_with("Remove-Mailbox") || line.starts_with("Bcc:"))
    );
    compare("hostile.txt", &text);
}
