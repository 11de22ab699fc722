//! Entra ID v2: discovery, sign-in pages, consent, tokens.
//!
//! Written from learn.microsoft.com/entra/identity-platform: "OAuth 2.0 authorization code flow",
//! "OpenID Connect on the Microsoft identity platform", "Admin consent", "Microsoft Entra authentication and
//! authorization error codes", "Access tokens", "ID token claims reference".

pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod sessions;
pub(crate) mod tokens;

use crate::world::World;
use axum::Router;
use std::sync::Arc;

/// Everything below `/{tenant}/` and `/common/`.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
}
