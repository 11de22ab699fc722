//! Test control: JSON under `/_sandbox/`, for tests and for practice.

use crate::world::World;
use axum::Router;
use std::sync::Arc;

/// Everything under `/_sandbox` that does not touch mail.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
}
