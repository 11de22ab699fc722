//! The least that an import can be: the same mails by the same HTTP batches, parsed by the same parser, inserted into
//! SQLite in the same groups with `synchronous=FULL`. No engine, no ledger, no threads, no search, no safe text.

use crate::Outcome;
use crate::connection::{MemoryKey, connect};
use crate::usage::{Start, Usage};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::{StreamExt, TryStreamExt, stream};
use mail_parser::MessageParser;
use mailroom_core::oauth::tokens::TokenSet;
use mailroom_core::secrets::{Secrets, Vault};
use mailroom_core::sync;
use mailroom_sandbox::Description;
use rusqlite::Connection;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// Mails in one batch and in one transaction.
const GROUP: usize = 20;
/// Batches fetched at once.
const IN_FLIGHT: usize = 2;
/// Mails on a page of the list.
const PAGE: u32 = 250;

/// Fetches, parses and inserts the newest `size` mails.
pub(crate) async fn import(tenant: Description, size: u32) -> Outcome<Usage> {
    let folder = tempfile::tempdir()?;
    let token = access_token(folder.path(), &tenant).await?;
    let http = reqwest::Client::new();
    let mut db = Connection::open(folder.path().join("floor.db"))?;
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch(
        "CREATE TABLE mails (id INTEGER PRIMARY KEY, server_id TEXT NOT NULL, subject TEXT, text TEXT, raw BLOB NOT NULL)",
    )?;

    let start = Start::now();
    let ids = list(&http, &tenant.graph_url, &token, size).await?;
    let mut groups = stream::iter(ids.chunks(GROUP))
        .map(|ids| fetch(&http, &tenant.graph_url, &token, ids))
        .buffered(IN_FLIGHT);
    let mut done = 0;
    while let Some(group) = groups.try_next().await? {
        done += u32::try_from(group.len())?;
        insert(&mut db, &group)?;
    }
    let usage = start.usage(done);
    if done != size {
        return Err(format!("{done} of {size}").into());
    }
    Ok(usage)
}

/// The newest `size` mails, the oldest first.
pub(crate) async fn mails(tenant: Description, size: u32) -> Outcome<Vec<Vec<u8>>> {
    let folder = tempfile::tempdir()?;
    let token = access_token(folder.path(), &tenant).await?;
    let http = reqwest::Client::new();
    let ids = list(&http, &tenant.graph_url, &token, size).await?;
    let mut mails = Vec::with_capacity(ids.len());
    for ids in ids.chunks(GROUP) {
        let group = fetch(&http, &tenant.graph_url, &token, ids).await?;
        mails.extend(group.into_iter().map(|mail| mail.raw));
    }
    mails.reverse();
    Ok(mails)
}

/// A sign-in as the product makes it; its token is taken from the data folder.
async fn access_token(folder: &Path, tenant: &Description) -> Outcome<String> {
    let key = Arc::new(MemoryKey::default());
    let (app, _) = connect(folder, key.clone(), tenant).await?;
    app.close().await;
    let db = Connection::open(folder.join("mailroom.db"))?;
    let (account, sealed): (i64, Vec<u8>) =
        db.query_row("SELECT id, tokens FROM accounts", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let vault = Vault::new(key.load()?.ok_or("no key")?);
    let plain = vault.unseal(&sync::purpose(account), &sealed)?;
    let tokens = TokenSet::from_bytes(&plain)?;
    Ok(tokens.access.expose_secret().to_owned())
}

async fn list(http: &reqwest::Client, graph: &str, token: &str, size: u32) -> Outcome<Vec<String>> {
    let mut url = format!(
        "{graph}/v1.0/me/mailFolders/inbox/messages?$select=id&$orderby=receivedDateTime%20desc&$top={}",
        PAGE.min(size)
    );
    let mut ids = Vec::new();
    loop {
        let answer = http.get(&url).bearer_auth(token).send().await?;
        let page: Value = serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?;
        let messages = page["value"].as_array().ok_or("a list without messages")?;
        ids.extend(
            messages
                .iter()
                .filter_map(|message| message["id"].as_str())
                .map(str::to_owned),
        );
        ids.truncate(usize::try_from(size)?);
        match page["@odata.nextLink"].as_str() {
            Some(next) if ids.len() < usize::try_from(size)? => next.clone_into(&mut url),
            _ => return Ok(ids),
        }
    }
}

struct Mail {
    server_id: String,
    subject: Option<String>,
    text: Option<String>,
    raw: Vec<u8>,
}

async fn fetch(
    http: &reqwest::Client,
    graph: &str,
    token: &str,
    ids: &[String],
) -> Outcome<Vec<Mail>> {
    let requests: Vec<Value> = ids
        .iter()
        .enumerate()
        .map(|(number, id)| {
            json!({ "id": number.to_string(), "method": "GET", "url": format!("/me/messages/{id}/$value") })
        })
        .collect();
    let answer = http
        .post(format!("{graph}/v1.0/$batch"))
        .bearer_auth(token)
        .json(&json!({ "requests": requests }))
        .send()
        .await?;
    let answer: Value = serde_json::from_slice(&answer.error_for_status()?.bytes().await?)?;
    let responses = answer["responses"]
        .as_array()
        .ok_or("a batch without answers")?;
    let mut mails = Vec::with_capacity(responses.len());
    for response in responses {
        let number: usize = response["id"].as_str().ok_or("no id")?.parse()?;
        let body = response["body"].as_str().ok_or("no mail")?;
        let raw = BASE64_STANDARD.decode(body)?;
        let parsed = MessageParser::default().parse(&raw);
        let parsed = parsed.as_ref();
        mails.push(Mail {
            server_id: ids.get(number).ok_or("an answer to nothing")?.clone(),
            subject: parsed.and_then(|mail| mail.subject()).map(str::to_owned),
            text: parsed
                .and_then(|mail| mail.body_text(0))
                .map(std::borrow::Cow::into_owned),
            raw,
        });
    }
    Ok(mails)
}

fn insert(db: &mut Connection, mails: &[Mail]) -> Outcome<()> {
    let transaction = db.transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO mails (server_id, subject, text, raw) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for mail in mails {
            insert.execute((&mail.server_id, &mail.subject, &mail.text, &mail.raw))?;
        }
    }
    transaction.commit()?;
    Ok(())
}
