//! A Microsoft 365 practice tenant in one process: Entra ID v2, Microsoft Graph v1.0 and a believable company.
//!
//! It is written from Microsoft's public documentation alone and shares no type with the product, so that
//! the two cannot agree on a common mistake. It listens on the loopback addresses only.
//!
//! Reading order: [`Options`] and [`Sandbox`] (the outside), `world` (what everything shares), `tenant`
//! (the company), `entra` (sign-in), `graph` (mail), `scenarios` (what can be made to go wrong).
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod admin;
mod certificates;
mod control;
mod control_mail;
mod entra;
mod faults;
mod graph;
mod log;
mod mail;
mod options;
mod portal;
mod practise;
mod scenarios;
mod server;
mod state;
mod tenant;
pub mod visitor;
mod world;

pub use options::{Description, Https, Options, StartError, User};
pub use practise::{Exercise, Mend, Mender, Strikes, exercises};
pub use scenarios::scenario_names;
pub use server::Sandbox;
