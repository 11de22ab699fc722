//! Test control of the mailboxes.

use crate::world::World;
use axum::Router;
use std::sync::Arc;

/// Everything under `/_sandbox` that touches mail.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
}
