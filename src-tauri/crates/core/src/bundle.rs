//! The support bundle: what somebody who helps needs to know, as a zip that can be looked at before it is saved.
//!
//! Values are taken one by one rather than tables as a whole: what mail says (bodies, subjects, file names) is never
//! asked for, tokens are sealed and stay where they are. Whatever servers and logs said goes through [`scrub`] once
//! more, and names go through [`veil`] unless the person wants them in.

mod archive;
mod collect;
mod database;
mod scrub;
mod veil;

pub use archive::write_zip;

use crate::Millis;
use crate::diagnosis::Finding;
use crate::store::{Store, StoreError, accounts, addresses, settings};
use rand::RngCore as _;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use veil::Veil;

/// What a bundle would hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct BundlePreview {
    /// The files, in the order of the zip.
    pub files: Vec<BundleFile>,
}

/// One file of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct BundleFile {
    /// Its name in the zip.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// What a bundle is about, beside the database.
pub struct Subject {
    /// Where the database is.
    pub data_dir: PathBuf,
    /// Now.
    pub now: Millis,
    /// Whether names and addresses are left as they are.
    pub with_names: bool,
    /// Whether this process polls.
    pub polls_here: bool,
    /// What keeps this computer from storing anything.
    pub trouble: Option<Finding>,
}

/// Under which name the salt of the covers is kept among the settings.
const SALT: &str = "bundle_salt";

const ABOUT: &str = "This is a support bundle of Mailroom. It holds versions, settings, the state of each address with \
its newest events, counts, the last failures with what the server said, a check of the database, and the newest lines of \
the log of the program that made it. It holds no passwords or tokens and nothing of any mail: no text, subject, sender or \
file name.\n";
const COVERED: &str = "Addresses and names are covered: the same cover (for instance address-0123456789) is the same \
name in every bundle of this installation, and says nothing to others.\n";

/// Gathers a bundle's files.
///
/// # Errors
/// [`StoreError`].
pub async fn gather(store: &Store, subject: Subject) -> Result<Vec<BundleFile>, StoreError> {
    let salt = store.write(salt).await?;
    store.read(move |db| files(db, &subject, &salt)).await
}

/// The installation's salt, made when it is first needed.
fn salt(db: &rusqlite::Transaction<'_>) -> rusqlite::Result<String> {
    if let Some(salt) = settings::get(db, SALT)? {
        return Ok(salt);
    }
    let mut bytes = [0_u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let salt = format!("\"{hex}\"");
    settings::put(db, SALT, &salt)?;
    Ok(salt)
}

fn files(db: &Connection, subject: &Subject, salt: &str) -> rusqlite::Result<Vec<BundleFile>> {
    let veil = knowing_veil(db, subject, salt)?;
    let document = |name: &str, value: Value| BundleFile {
        name: name.to_owned(),
        text: serde_json::to_string_pretty(&clean(&veil, value)).unwrap_or_default() + "\n",
    };
    let (lines, findings) = collect::addresses(db, &veil)?;
    let log: String = crate::log::lines()
        .iter()
        .map(|line| veil.text(&scrub::scrub(line)) + "\n")
        .collect();
    Ok(vec![
        BundleFile {
            name: "README.txt".to_owned(),
            text: ABOUT.to_owned() + if subject.with_names { "" } else { COVERED },
        },
        document("about.json", about(subject)),
        document("settings.json", collect::settings(db, &veil)?),
        document("addresses.json", lines),
        document(
            "findings.json",
            json!({ "this_computer": subject.trouble, "addresses": findings }),
        ),
        document("database.json", database::check(db, &subject.data_dir)?),
        BundleFile {
            name: "log.txt".to_owned(),
            text: log,
        },
    ])
}

/// A veil that knows the names of this installation.
fn knowing_veil(db: &Connection, subject: &Subject, salt: &str) -> rusqlite::Result<Veil> {
    let mut veil = Veil::new(salt, !subject.with_names);
    for row in addresses::all(db)? {
        veil.know("brand", &row.brand);
        if let Some(account) = accounts::get(db, row.account_id)? {
            veil.know("person", &account.identity.display_name);
            veil.know("login", &account.identity.login_name);
            // Its id says nothing to others, and support needs it.
            if uuid::Uuid::parse_str(&account.registration.tenant).is_err()
                && account.registration.tenant.contains('.')
            {
                veil.know("tenant", &account.registration.tenant);
            }
        }
        if let Some((_, domain)) = row.address.rsplit_once('@') {
            veil.know("domain", domain);
        }
        if row.folder_path.is_some() {
            veil.know("folder", &row.folder_name);
        }
    }
    veil.know("folder", &subject.data_dir.display().to_string());
    if let Some(home) = dirs::home_dir() {
        veil.know("home", &home.display().to_string());
    }
    Ok(veil)
}

/// Every text in `value` without secrets and names.
fn clean(veil: &Veil, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(veil.text(&scrub::scrub(&text))),
        Value::Array(items) => items.into_iter().map(|item| clean(veil, item)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, item)| (name, clean(veil, item)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn about(subject: &Subject) -> Value {
    json!({
        "mailroom": env!("CARGO_PKG_VERSION"),
        "system": std::env::consts::OS,
        "architecture": std::env::consts::ARCH,
        "release": release(),
        "sqlite": rusqlite::version(),
        "made_at": collect::instant(subject.now),
        "polls_here": subject.polls_here,
        "names_covered": !subject.with_names,
    })
}

/// The system's own name, where it has a file that says so (os-release(5)).
fn release() -> Option<String> {
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(line.trim_matches('"').to_owned())
}
