//! The mail of the practice tenant: written from templates by a seeded author, or loaded from files.
//!
//! Reading order: `seed` (what lies where at the start), `author` (one mail after the other), `letter`
//! (a request and its answers), `special` (newsletters, bounces and the like), `load` (files), `live`
//! (new mail while it runs, and keeping it all over a restart).

mod author;
mod files;
mod letter;
mod live;
mod load;
pub(crate) mod mime;
mod seed;
mod special;
mod words;

pub(crate) use live::{keep_alive, open, save};
pub(crate) use seed::add;
