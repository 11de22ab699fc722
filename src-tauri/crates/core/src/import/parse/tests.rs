use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::*;
use crate::import::html::safe_html;

mod hostile;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/mail")
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.eml"))).unwrap()
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// What differs from a row of `expected.json`.
fn differences(row: &Value, raw: &[u8]) -> Vec<String> {
    let mail = parse(raw);
    let mut out = Vec::new();
    let mut same = |what: &str, found: String, wanted: String| {
        if found != wanted {
            out.push(format!("{what}: found {found}, wanted {wanted}"));
        }
    };
    for (key, wanted) in row.as_object().unwrap() {
        match key.as_str() {
            "file" => {}
            "subject" => same(key, mail.subject.clone(), wanted.as_str().unwrap().into()),
            "from" => {
                let found = vec![mail.from.name.clone(), mail.from.address.clone()];
                same(key, format!("{found:?}"), format!("{:?}", strings(wanted)));
            }
            "text" => {
                let wanted = wanted.as_str().unwrap();
                if !mail.text.contains(wanted) || (wanted.is_empty() && !mail.text.is_empty()) {
                    same(key, mail.text.clone(), wanted.into());
                }
            }
            "html" => same(key, mail.has_html.to_string(), wanted.to_string()),
            "remote" => same(
                key,
                safe_html(raw).unwrap().remote_left_out.to_string(),
                wanted.to_string(),
            ),
            "automatic" => {
                same(
                    key,
                    format!("{:?}", mail.automatic.map(|a| a.word())),
                    format!("{:?}", wanted.as_str()),
                );
            }
            "bounced" => same(
                key,
                format!("{:?}", mail.bounced_message_id.as_deref()),
                format!("{:?}", wanted.as_str()),
            ),
            "references" => same(
                key,
                format!("{:?}", mail.references),
                format!("{:?}", strings(wanted)),
            ),
            "damage" => same(
                key,
                format!("{:?}", mail.damage),
                format!("{:?}", strings(wanted)),
            ),
            "cc" => {
                let found = mail
                    .cc
                    .iter()
                    .map(|p| p.address.clone())
                    .collect::<Vec<_>>();
                same(key, format!("{found:?}"), format!("{:?}", strings(wanted)));
            }
            "reply_to" => {
                let found = mail.reply_to.clone().unwrap_or_default().address;
                same(key, found, wanted.as_str().unwrap().into());
            }
            "attachments" => {
                let wanted = wanted.as_array().unwrap();
                same(
                    "attachments",
                    mail.attachments.len().to_string(),
                    wanted.len().to_string(),
                );
                for (found, wanted) in mail.attachments.iter().zip(wanted) {
                    same(
                        "name",
                        found.name.clone(),
                        wanted[0].as_str().unwrap().into(),
                    );
                    same(
                        "media type",
                        found.media_type.clone(),
                        wanted[1].as_str().unwrap().into(),
                    );
                    if let Some(size) = wanted[2].as_u64() {
                        same("size", found.size.to_string(), size.to_string());
                    }
                    same("inline", found.inline.to_string(), wanted[3].to_string());
                    let bytes = attachment(raw, found.part).unwrap();
                    same("bytes", bytes.len().to_string(), found.size.to_string());
                }
            }
            other => panic!("{other} is not compared"),
        }
    }
    if !row.as_object().unwrap().contains_key("damage") && !mail.damage.is_empty() {
        out.push(format!("damage: {:?}", mail.damage));
    }
    if !row.as_object().unwrap().contains_key("automatic") && mail.automatic.is_some() {
        out.push(format!("automatic: {:?}", mail.automatic));
    }
    out
}

#[test]
fn reads_every_fixture_as_expected() {
    let rows: Value =
        serde_json::from_slice(&std::fs::read(folder().join("expected.json")).unwrap()).unwrap();
    let rows = rows.as_array().unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let name = row["file"].as_str().unwrap();
        wrong.extend(
            differences(row, &fixture(name))
                .into_iter()
                .map(|d| format!("{name}: {d}")),
        );
    }
    let files = std::fs::read_dir(folder()).unwrap().flatten();
    let files = files
        .filter(|f| f.path().extension().is_some_and(|e| e == "eml"))
        .count();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        files >= 45 && files == rows.len(),
        "{files} files, {} rows",
        rows.len()
    );
}

#[test]
fn line_ends_change_nothing() {
    for file in std::fs::read_dir(folder())
        .unwrap()
        .flatten()
        .filter(|f| f.path().extension().is_some_and(|e| e == "eml"))
    {
        let raw = std::fs::read(file.path()).unwrap();
        let unix = raw
            .iter()
            .copied()
            .filter(|b| *b != b'\r')
            .collect::<Vec<_>>();
        let (dos, unix) = (parse(&raw), parse(&unix));
        assert_eq!(
            (&dos.subject, &dos.text, &dos.damage),
            (&unix.subject, &unix.text, &unix.damage),
            "{:?}",
            file.path()
        );
        assert_eq!(dos.fingerprint, unix.fingerprint);
    }
}

#[test]
fn the_same_mail_by_another_route_has_the_same_fingerprint() {
    let direct = fixture("plain-en");
    let mut forwarded =
        b"Received: from mx.contoso.example\r\nX-Forwarded-For: support@contoso.example\r\n"
            .to_vec();
    forwarded.extend_from_slice(
        String::from_utf8(direct.clone())
            .unwrap()
            .replace("\r\n\r\n", "\r\n \r\n\r\n")
            .as_bytes(),
    );
    let forwarded = String::from_utf8(forwarded)
        .unwrap()
        .replacen("\r\n \r\n\r\n", "\r\n\r\n", 1);
    let (one, two) = (parse(&direct), parse(forwarded.as_bytes()));
    assert!(one.fingerprint.is_some());
    assert_eq!(one.fingerprint, two.fingerprint);
    let other = String::from_utf8(direct).unwrap().replace("toner", "paper");
    assert_ne!(parse(other.as_bytes()).fingerprint, one.fingerprint);
    assert_eq!(parse(b"From: a@x.example\n\nx").fingerprint, None);
}

#[test]
fn an_attached_message_is_handed_out_as_it_came() {
    let raw = fixture("forwarded-message");
    let part = parse(&raw).attachments[0].part;
    let inner = attachment(&raw, part).unwrap();
    let text = String::from_utf8(inner.clone()).unwrap();
    assert!(text.starts_with("From: d@fabrikam.example\r\n") && text.ends_with("inner text"));
    assert_eq!(
        parse(&inner).message_id.as_deref(),
        Some("inner@fabrikam.example")
    );
    assert_eq!(attachment(&raw, 0), None);
    assert_eq!(attachment(&raw, 99), None);
}

#[test]
fn dates_are_instants() {
    assert_eq!(parse(&fixture("plain-en")).sent_at, Some(1_793_607_300_000));
    assert_eq!(instant("Mon, 99 Foo 2026 99:99:99 +9999"), None);
}
