//! The user's choices, one JSON value per name.

use super::columns;
use crate::diagnosis::registration::KnownExpiries;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

/// The user's choices; unknown fields are kept out, missing ones take their defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub struct Settings {
    /// `en`, `de`, `ja`, or nothing for the system's language.
    pub language: Option<String>,
    /// Light, dark or as the system.
    pub theme: Theme,
    /// Desktop notifications for new tickets and for addresses that change state.
    pub notifications: bool,
    /// Whether closing the window leaves Mailroom polling in the tray.
    pub keep_in_tray: bool,
    /// Minutes without a successful poll after which an address counts as silent; 0 for never.
    pub alert_after_min: u32,
    /// Who gets a mail when an address falls silent: addresses separated by semicolons or commas; empty for nobody.
    pub failure_list: String,
    /// From when notices about silence are held back, for instance `22:00`, in local time; nothing for never.
    pub quiet_from: Option<String>,
    /// Until when they are held back, for instance `07:00`.
    pub quiet_to: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: None,
            theme: Theme::System,
            notifications: true,
            keep_in_tray: false,
            alert_after_min: 30,
            failure_list: String::new(),
            quiet_from: None,
            quiet_to: None,
        }
    }
}

/// Colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Theme {
    /// As the operating system says.
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// Under which name [`Settings`] are kept.
const SETTINGS: &str = "settings";

/// The value under `name` (JSON), if there is one.
pub fn get(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT value FROM settings WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// Puts `value` (JSON) under `name`.
pub fn put(conn: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO settings (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute([name, value])?;
    Ok(())
}

/// What is known of the app registration with this client id, from its manifest; nothing where none was checked.
pub fn registration(conn: &Connection, client_id: &str) -> rusqlite::Result<Option<KnownExpiries>> {
    let kept = get(conn, &registration_name(client_id))?;
    Ok(kept.and_then(|value| serde_json::from_str(&value).ok()))
}

/// Keeps what the manifest of an app registration says; what an older one said is forgotten.
pub fn save_registration(
    conn: &Connection,
    client_id: &str,
    known: &KnownExpiries,
) -> rusqlite::Result<()> {
    put(conn, &registration_name(client_id), &columns::json(known)?)
}

fn registration_name(client_id: &str) -> String {
    format!("registration {}", client_id.trim().to_ascii_lowercase())
}

/// The user's choices; what was never chosen, or is unreadable, has its default.
pub fn load_settings(conn: &Connection) -> rusqlite::Result<Settings> {
    Ok(get(conn, SETTINGS)?
        .and_then(|value| serde_json::from_str(&value).ok())
        .unwrap_or_default())
}

/// Keeps the user's choices.
pub fn save_settings(conn: &Connection, settings: &Settings) -> rusqlite::Result<()> {
    put(conn, SETTINGS, &columns::json(settings)?)
}
