//! Signing in to the practice tenant, over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod admin;
mod browser;
mod office;
mod pages;
mod practise;
mod redirect;
mod refresh;
mod scenarios;
mod server;
mod token;
