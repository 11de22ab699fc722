//! The support bundle.

use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::api;
use std::path::PathBuf;

/// `bundle`
pub(crate) async fn save(
    common: &Common,
    output: Option<PathBuf>,
    with_names: bool,
    preview: bool,
) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    if preview {
        let bundle = api::preview_bundle(&app, with_names).await?;
        if common.json {
            print::json(&bundle);
        } else {
            for file in &bundle.files {
                print::line(&format!("== {} ==", file.name));
                for line in file.text.lines() {
                    print::line(&print::plain(line));
                }
            }
        }
    }
    if let Some(path) = output {
        api::save_bundle(&app, path.clone(), with_names).await?;
        if !(common.json && preview) {
            print::note(&format!("Saved as {}.", path.display()));
        }
    }
    session::close(&app).await;
    Ok(())
}
