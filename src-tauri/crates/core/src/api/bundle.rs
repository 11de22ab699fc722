//! The support bundle.

use super::error::{ApiError, ErrorCode};
use crate::app::App;
use crate::bundle::{self, BundlePreview, Subject};
use crate::store::StoreError;
use std::path::PathBuf;

/// What a support bundle would hold. `with_names` leaves addresses and names of people as they are; without it they are
/// covered. Nothing of any mail is in it either way, nor any secret.
///
/// # Errors
/// The database cannot be read.
pub async fn preview_bundle(app: &App, with_names: bool) -> Result<BundlePreview, ApiError> {
    let files = bundle::gather(&app.context.store, subject(app, with_names)).await?;
    Ok(BundlePreview { files })
}

/// Writes a support bundle as a zip. A file of that name is replaced once the new one is complete.
///
/// # Errors
/// [`ErrorCode::CannotWriteFile`]; the database cannot be read.
pub async fn save_bundle(app: &App, path: PathBuf, with_names: bool) -> Result<(), ApiError> {
    write_bundle(path, preview_bundle(app, with_names).await?).await
}

/// Writes a bundle that a person has looked at, as they saw it. A file of that name is replaced once the new one is
/// complete.
///
/// # Errors
/// [`ErrorCode::CannotWriteFile`].
pub async fn write_bundle(path: PathBuf, preview: BundlePreview) -> Result<(), ApiError> {
    let shown = path.display().to_string();
    tokio::task::spawn_blocking(move || bundle::write_zip(&path, &preview.files))
        .await
        .map_err(|_| ApiError::from(StoreError::Closed))?
        .map_err(|error| {
            ApiError::new(ErrorCode::CannotWriteFile)
                .arg("path", shown)
                .because(error)
        })
}

fn subject(app: &App, with_names: bool) -> Subject {
    Subject {
        data_dir: app.data_dir.clone(),
        now: app.context.clock.now(),
        with_names,
        polls_here: app.polling() == super::view::PollingRole::Here,
        trouble: app.context.storage_trouble(),
    }
}
