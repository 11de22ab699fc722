//! Entra ID v2: discovery, sign-in pages, consent, tokens.
//!
//! Written from learn.microsoft.com/entra/identity-platform: "OAuth 2.0 authorization code flow",
//! "OpenID Connect on the Microsoft identity platform", "Admin consent", "Microsoft Entra authentication and
//! authorization error codes", "Access tokens", "ID token claims reference".

mod adminconsent;
mod authority;
mod authorize;
mod back;
mod consent;
mod discovery;
mod errors;
mod flow;
pub(crate) mod grants;
pub(crate) mod keys;
mod logout;
pub(crate) mod obstacles;
pub(crate) mod office;
pub(crate) mod pages;
mod redeemable;
mod request;
pub(crate) mod scopes;
pub(crate) mod sessions;
mod token;
pub(crate) mod tokens;

pub(crate) use authority::Caller;

use crate::world::World;
use axum::Router;
use axum::routing::{get, post};
use base64::Engine;
use rand::RngCore;
use std::sync::Arc;

/// Everything below `/{tenant}/`, and `userinfo`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            get(discovery::openid_configuration),
        )
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/{tenant}/discovery/instance", get(discovery::instance))
        .route(
            "/{tenant}/oauth2/v2.0/authorize",
            get(authorize::get).post(authorize::post),
        )
        .route("/{tenant}/login", post(authorize::form))
        .route(
            "/{tenant}/oauth2/v2.0/token",
            post(token::post).fallback(token::not_post),
        )
        .route("/{tenant}/v2.0/adminconsent", get(adminconsent::get))
        .route("/{tenant}/oauth2/v2.0/logout", get(logout::get))
        .route(
            "/oidc/userinfo",
            get(discovery::userinfo).post(discovery::userinfo),
        )
        .route(
            "/graph/oidc/userinfo",
            get(discovery::userinfo).post(discovery::userinfo),
        )
}

/// A name that nobody guesses.
fn random_name() -> String {
    let mut bytes = [0; 24];
    rand::rng().fill_bytes(&mut bytes);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
