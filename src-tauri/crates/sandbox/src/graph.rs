//! Microsoft Graph v1.0.

use crate::world::World;
use axum::Router;
use std::sync::Arc;

/// Everything under `/v1.0`. Mounted at `/graph` and at the root of the server.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
}
