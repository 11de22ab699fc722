//! The support bundle: what is in it, and above all what is not.

use crate::world::{SUPPORT, World, mail, wait};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::Status;
use mailroom_core::diagnosis::{Evidence, Finding, Severity};
use mailroom_core::secrets::Vault;
use mailroom_core::sync::purpose;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;
use tracing_subscriber::prelude::*;

/// How secrets stand in what servers, libraries and programs say.
const DRESSES: [&str; 16] = [
    r#"{"token_type":"Bearer","access_token":"§","expires_in":3599}"#,
    "grant_type=refresh_token&refresh_token=§&client_id=1",
    "Authorization: Bearer §",
    "authorization: Basic {B:helper:§}",
    "GET /?code=§&session_state=§ HTTP/1.1",
    r#"the form was {"username":"x","password":"§"}"#,
    "client_secret: §",
    "AUTH XOAUTH2 {B:user=helper\u{1}auth=Bearer §\u{1}\u{1}}",
    "redirected to http%3A%2F%2Flocalhost%2F%3Fcode%3D§%26state%3D§",
    "Set-Cookie: ESTSAUTHPERSISTENT=§; path=/; secure",
    r#""body":"{\"refresh_token\":\"§\"}""#,
    "device_code=§&user_code=§",
    "X-Api-Key: §",
    "AUTH PLAIN {B:\u{0}helper\u{0}§}",
    "%7B%22id_token%22%3A%22§%22%7D",
    "code_verifier=§&client_assertion=§",
];

/// `dress` with `secret` in place of the mark; what stands behind `B:` becomes base64.
fn dressed(dress: &str, secret: &str) -> String {
    let text = dress.replace('§', secret);
    match text.split_once("{B:") {
        Some((before, inner)) => {
            format!("{before}{}", STANDARD.encode(inner.trim_end_matches('}')))
        }
        None => text,
    }
}

/// Canaries of three makes: as they are, as base64, percent-encoded.
fn secret(number: usize) -> String {
    let plain = format!("CANARY{number:03}.s3cr3t+/{number}");
    match number % 3 {
        0 => plain,
        1 => STANDARD.encode(plain).trim_end_matches('=').to_owned(),
        _ => url::form_urlencoded::byte_serialize(plain.as_bytes()).collect(),
    }
}

/// Every form in which a canary might show.
fn forms(number: usize) -> Vec<String> {
    let plain = format!("CANARY{number:03}.s3cr3t+/{number}");
    let mut forms = vec![
        format!("CANARY{number:03}"),
        STANDARD.encode(&plain).trim_end_matches('=').to_owned(),
        secret(number),
    ];
    forms.extend(
        DRESSES
            .iter()
            .filter(|dress| dress.contains("{B:"))
            .map(|dress| {
                let text = dressed(dress, &secret(number));
                text.rsplit(' ')
                    .next()
                    .unwrap()
                    .trim_end_matches('=')
                    .to_owned()
            }),
    );
    forms
}

fn contents(path: &Path) -> Vec<(String, String)> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..zip.len())
        .map(|index| {
            let mut file = zip.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            (file.name().unwrap().into_owned(), text)
        })
        .collect()
}

fn database(world: &World) -> rusqlite::Connection {
    rusqlite::Connection::open(world.folder.path().join("mailroom.db")).unwrap()
}

/// Puts a differently dressed canary into every place that holds words of others; returns how many.
fn plant(world: &World, id: i64) -> usize {
    let db = database(world);
    let mut number = 0;
    let mut next = |dress: &str| {
        number += 1;
        dressed(dress, &secret(number - 1))
    };
    let mut raw = String::new();
    for dress in DRESSES {
        let text = next(dress);
        let args = json!({ "code": text, "detail": next(dress) }).to_string();
        db.execute(
            "INSERT INTO events (address_id, at, kind, args) VALUES (?1, 1, 'poll_failed', ?2)",
            (id, args),
        )
        .unwrap();
        raw.push_str(&next(dress));
        raw.push('\n');
        let reason = next(dress);
        db.execute(
            "INSERT INTO ledger (address_id, server_id, subject, from_address, received_at, outcome, reason, recorded_at)
             VALUES (?1, ?2, 'SUBJECTCANARY', 'from@canary.example', 1, 'failed', ?3, 1)",
            (id, format!("planted {reason}"), &reason),
        )
        .unwrap();
        tracing::warn!(target: "mailroom_core::planted", answer = %next(dress), "said: {}", next(dress));
    }
    let mut finding = Finding::plain("unknown", Severity::Failed);
    for dress in DRESSES {
        finding
            .args
            .insert(format!("arg{number}"), dressed(dress, &secret(0)));
    }
    finding.evidence = Some(Evidence {
        raw: raw + "Subject: SUBJECTLESS",
        code: Some(dressed(DRESSES[0], &secret(1))),
        ..Evidence::default()
    });
    db.execute(
        "UPDATE addresses SET cause = ?2, paused = 1 WHERE id = ?1",
        (id, serde_json::to_string(&finding).unwrap()),
    )
    .unwrap();
    number
}

/// The tokens that the sandbox really gave.
async fn real_tokens(world: &World) -> Vec<String> {
    let vault = Vault::open(world.key.clone(), false)
        .await
        .unwrap()
        .unwrap();
    let db = database(world);
    let mut query = db.prepare("SELECT id, tokens FROM accounts").unwrap();
    let rows: Vec<(i64, Vec<u8>)> = query
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    rows.iter()
        .flat_map(|(id, sealed)| {
            let plain = vault.unseal(&purpose(*id), sealed).unwrap();
            let set: Value = serde_json::from_slice(&plain).unwrap();
            ["access", "refresh"].map(|name| set[name].as_str().unwrap().to_owned())
        })
        .collect()
}

#[tokio::test]
async fn no_canary_no_mail_and_no_name_leaves_in_a_bundle() {
    // Another test may have installed its own; the log is then tested in its own place only.
    let logs = tracing_subscriber::registry()
        .with(mailroom_core::log::recent_lines())
        .try_init()
        .is_ok();
    let world = World::new().await;
    let view = world.connect(Some(40)).await;
    world
        .deliver(&mail("private@t.example", "SUBJECTCANARY of a mail", ""))
        .await;
    world.poll(view.id).await;
    let tokens = real_tokens(&world).await;
    world
        .control("revoke-tokens", json!({ "user": SUPPORT }))
        .await;
    world.control("expire-access-tokens", json!({})).await;
    api::sync_now(&world.app, Some(view.id)).await.unwrap();
    wait("the poll fails", async || {
        (world.view(view.id).await.status == Status::Failed).then_some(())
    })
    .await;
    let planted = plant(&world, view.id);
    assert!(planted >= 40, "{planted} canaries");

    let path = world.folder.path().join("bundle.zip");
    api::save_bundle(&world.app, path.clone(), false)
        .await
        .unwrap();
    let files = contents(&path);
    let bytes = std::fs::read(&path).unwrap();
    let all: String = files.iter().map(|(_, text)| text.as_str()).collect();
    let mut hits = Vec::new();
    let mut look = |what: &str| {
        // Shared mailboxes have no password.
        if what.is_empty() {
            return;
        }
        if all.contains(what)
            || bytes
                .windows(what.len())
                .any(|part| part == what.as_bytes())
        {
            hits.push(what.to_owned());
        }
    };
    (0..planted).flat_map(forms).for_each(|form| look(&form));
    tokens.iter().for_each(|token| look(token));
    world
        .tenant
        .users
        .iter()
        .for_each(|user| look(&user.password));
    let db = database(&world);
    let mut query = db
        .prepare("SELECT m.subject, m.from_address, substr(b.text, 1, 30) FROM messages m JOIN bodies b ON b.message_id = m.id")
        .unwrap();
    let rows = query
        .query_map([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .unwrap();
    let mail: Vec<[String; 3]> = rows.map(Result::unwrap).collect();
    assert!(mail.len() >= 40);
    for words in mail.iter().flatten().filter(|words| words.trim().len() > 8) {
        look(words.trim());
    }
    for name in ["SUBJECTCANARY", SUPPORT, "contoso.example", "Contoso"] {
        look(name);
    }
    assert!(hits.is_empty(), "{hits:?}\n{all}");
    assert_eq!(
        files
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        [
            "README.txt",
            "about.json",
            "settings.json",
            "addresses.json",
            "findings.json",
            "database.json",
            "log.txt"
        ]
    );
    if logs {
        assert!(all.contains("said: "), "the log is in it");
    }
}

#[tokio::test]
async fn a_bundle_says_what_support_needs_and_names_only_when_asked() {
    let world = World::new().await;
    let view = world.connect(Some(20)).await;
    let preview = api::preview_bundle(&world.app, false).await.unwrap();
    let document = |name: &str| -> Value {
        let file = preview.files.iter().find(|file| file.name == name).unwrap();
        serde_json::from_str(&file.text).unwrap()
    };
    let about = document("about.json");
    assert_eq!(about["mailroom"], env!("CARGO_PKG_VERSION"));
    assert!(about["sqlite"].as_str().unwrap().starts_with("3."));
    let addresses = document("addresses.json");
    let line = &addresses[0];
    assert_eq!(line["status"], "verified");
    assert_eq!(line["totals"]["found"], 20);
    assert_eq!(line["imports"][0]["state"], "done");
    assert!(line["events"].as_array().unwrap().len() >= 3);
    assert_eq!(line["account"]["has_sign_in"], true);
    let database = document("database.json");
    assert_eq!(database["quick_check"], json!(["ok"]));
    assert_eq!(database["rows"]["messages"], 20);
    assert!(database["files"]["mailroom.db"].as_u64().unwrap() > 1_000);

    let again = api::preview_bundle(&world.app, false).await.unwrap();
    let named = api::preview_bundle(&world.app, true).await.unwrap();
    let addresses = |files: &[mailroom_core::bundle::BundleFile]| -> Value {
        serde_json::from_str(&files[3].text).unwrap()
    };
    assert_eq!(addresses(&again.files)[0]["address"], line["address"]);
    assert_eq!(addresses(&named.files)[0]["address"], view.address);
}

#[tokio::test]
async fn a_bundle_that_cannot_be_written_says_so() {
    let world = World::new().await;
    let path = world.folder.path().join("no such folder/bundle.zip");
    let error = api::save_bundle(&world.app, path, false).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::CannotWriteFile);
}

#[tokio::test]
async fn the_forecast_of_a_healthy_address_renews_itself_and_that_of_a_resting_one_ends() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let items = api::forecast(&world.app, view.id).await.unwrap();
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(items[0].code, "forecast_renewed");
    let at = view.last_success_at.unwrap() + 90 * 86_400_000;
    assert!(items[0].at >= at && items[0].severity == Severity::Ok);
    api::pause_address(&world.app, view.id).await.unwrap();
    let items = api::forecast(&world.app, view.id).await.unwrap();
    assert_eq!(items[0].code, "forecast_idle");
    let missing = api::forecast(&world.app, 4711).await.unwrap_err();
    assert_eq!(missing.code, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_ends_in_a_registration_is_foreseen_for_its_addresses_until_a_newer_manifest() {
    let world = World::new().await;
    let view = world.connect(None).await;
    let ends = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(20 * 24 + 1);
    let manifest = |client_id: &str, secrets: serde_json::Value| {
        serde_json::json!({"appId": client_id, "passwordCredentials": secrets}).to_string()
    };
    let secret = serde_json::json!([{
        "displayName": "scanner", "endDateTime": ends.to_string(), "secretText": "of no use here"
    }]);
    let audit = async |manifest: String| {
        let access = mailroom_core::api::view::Access::Graph;
        api::audit_registration(&world.app, &manifest, access, "organizations", "en")
            .await
            .unwrap();
    };
    let told = async || {
        let items = api::forecast(&world.app, view.id).await.unwrap();
        let told = items
            .into_iter()
            .filter(|item| item.code != "forecast_renewed");
        told.map(|item| {
            (
                item.code,
                item.args["what"].clone(),
                item.args["days"].clone(),
            )
        })
        .collect::<Vec<_>>()
    };
    audit(manifest(
        "00000000-1111-2222-3333-444444444444",
        secret.clone(),
    ))
    .await;
    assert_eq!(told().await, [], "another registration");
    let id = world.tenant.client_id.to_uppercase();
    audit(manifest(&id, secret)).await;
    let [code, what, days] = ["forecast_app_secret", "scanner", "20"].map(str::to_owned);
    assert_eq!(told().await, [(code, what, days)]);
    let kept = std::fs::read(world.folder.path().join("mailroom.db")).unwrap();
    assert!(!String::from_utf8_lossy(&kept).contains("of no use here"));
    audit(manifest(&id, serde_json::json!([]))).await;
    assert_eq!(told().await, []);
}
