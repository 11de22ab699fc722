//! The product, free of any window: it signs in, fetches mail, makes tickets of it and says where a
//! connection breaks. `src-tauri/ARCHITECTURE.md` draws who may import whom.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod account;
pub mod api;
pub mod app;
pub mod bundle;
pub mod diagnosis;
pub mod discovery;
pub mod import;
pub mod log;
pub mod oauth;
pub mod provider;
pub mod secrets;
pub mod store;
pub mod sync;
pub mod words;

/// Milliseconds since 1970-01-01T00:00:00Z: how every instant is stored and handed over.
pub type Millis = i64;
