//! The folder to read, and what becomes of mail on the server once it is imported.

use super::wait;
use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::api::view::{AfterImport, AfterImportRehearsal, FolderView};
use mailroom_core::{api, app::App};
use std::sync::Arc;

/// How many mails are rehearsed where nobody says.
pub(crate) const NEWEST: u32 = 50;
/// How many of them are printed.
const PRINTED: usize = 20;

/// `folder`
pub(crate) async fn folder(
    common: &Common,
    address: &str,
    path: Option<&str>,
    list: bool,
) -> Result<(), Failure> {
    let app = session::open(common, path.is_some()).await?;
    let id = api::find_address(&app, address).await?;
    if let Some(path) = path {
        let before = api::address_details(&app, id).await?.address;
        api::set_folder(&app, id, Some(path)).await?;
        // The present folder is read to its end first.
        wait::for_poll(&app, id, Some(&before)).await?;
    }
    if list {
        let folders = api::folders(&app, id).await?;
        session::close(&app).await;
        show(common, &folders);
        return Ok(());
    }
    let details = api::address_details(&app, id).await?;
    session::close(&app).await;
    if common.json {
        print::json(&serde_json::json!({
            "address": details.address.address,
            "folder": details.folder,
            "path": details.folder_path,
            "next": details.next_folder,
        }));
    } else {
        print::line(&format!(
            "{} reads {}",
            details.address.address, details.folder
        ));
        if let Some(next) = details.next_folder {
            print::line(&format!(
                "{next} follows as soon as that is read to its end"
            ));
        }
    }
    Ok(())
}

fn show(common: &Common, folders: &[FolderView]) {
    if common.json {
        print::json(&folders);
        return;
    }
    let rows: Vec<Vec<String>> = folders
        .iter()
        .map(|folder| {
            let indent = "  ".repeat(usize::try_from(folder.depth).unwrap_or(0).min(20));
            let mark = if folder.is_read { "*" } else { "" };
            let count = folder.messages.map(|count| count.to_string());
            vec![
                mark.to_owned(),
                format!("{indent}{}", folder.name),
                count.unwrap_or_default(),
                folder.path.clone(),
            ]
        })
        .collect();
    print::table(&["", "folder", "mails", "path"], &rows);
}

/// What was chosen on the command line.
pub(crate) struct Choice {
    pub(crate) choice: Option<AfterImport>,
    pub(crate) newest: Option<u32>,
    pub(crate) confirm: Option<String>,
    pub(crate) also_imported: bool,
}

/// `after-import`
pub(crate) async fn after_import(
    common: &Common,
    address: &str,
    options: Choice,
) -> Result<(), Failure> {
    let app = session::open(common, options.confirm.is_some()).await?;
    let id = api::find_address(&app, address).await?;
    let result = match &options.choice {
        Some(choice) => choose(&app, common, id, choice, &options).await,
        None => {
            let details = api::address_details(&app, id).await?;
            match common.json {
                true => print::json(&details.after_import),
                false => print::line(&words(&details.after_import)),
            }
            Ok(())
        }
    };
    session::close(&app).await;
    result
}

/// Rehearses a choice that takes mail away, and makes it where it is confirmed.
pub(crate) async fn choose(
    app: &Arc<App>,
    common: &Common,
    id: i64,
    choice: &AfterImport,
    options: &Choice,
) -> Result<(), Failure> {
    if choice.takes_away() {
        let newest = options.newest.unwrap_or(NEWEST);
        let rehearsal = api::rehearse_after_import(app, id, choice.clone(), newest).await?;
        if common.json {
            print::json(&rehearsal);
        } else {
            rehearsed(&rehearsal);
        }
        if options.confirm.is_none() {
            print::note(
                "Nothing was changed. Run the command again with --confirm ADDRESS to choose this.",
            );
            return Ok(());
        }
    }
    let confirm = options.confirm.as_deref();
    api::set_after_import(app, id, choice.clone(), confirm, options.also_imported).await?;
    let chosen = api::address_details(app, id).await?.after_import;
    print::note(&format!("From now on: {}", words(&chosen)));
    Ok(())
}

fn words(choice: &AfterImport) -> String {
    match choice {
        AfterImport::Leave => "imported mail is left as it is".to_owned(),
        AfterImport::Read => "imported mail is marked read".to_owned(),
        AfterImport::Move { folder } => format!("imported mail is moved to {folder}"),
        AfterImport::Delete => "imported mail is deleted".to_owned(),
    }
}

fn rehearsed(rehearsal: &AfterImportRehearsal) {
    let place = match (&rehearsal.choice, &rehearsal.goes_to) {
        (_, Some(place)) => format!("to {place}"),
        (AfterImport::Delete, None) => "for good".to_owned(),
        _ => String::new(),
    };
    print::line(&format!(
        "Of the newest {} mails, {} would leave the folder {place}; {} would stay.",
        rehearsal.found, rehearsal.taken, rehearsal.stay
    ));
    let rows: Vec<Vec<String>> = rehearsal
        .mails
        .iter()
        .take(PRINTED)
        .map(|mail| {
            vec![
                if mail.taken { "leaves" } else { "stays" }.to_owned(),
                print::cut(&mail.from, 32),
                print::cut(&mail.subject, 60),
            ]
        })
        .collect();
    print::table(&["", "from", "subject"], &rows);
    if rehearsal.imported_before > 0 {
        print::line(&format!(
            "{} mails imported so far stay, unless --also-imported is given.",
            rehearsal.imported_before
        ));
    }
}

/// Reads `leave`, `read`, `move:FOLDER` or `delete`.
pub(crate) fn parse(text: &str) -> Result<AfterImport, String> {
    match text.split_once(':') {
        None if text == "leave" => Ok(AfterImport::Leave),
        None if text == "read" => Ok(AfterImport::Read),
        None if text == "delete" => Ok(AfterImport::Delete),
        Some(("move", folder)) if !folder.trim().is_empty() => Ok(AfterImport::Move {
            folder: folder.trim().to_owned(),
        }),
        _ => Err("choices are leave, read, move:FOLDER and delete".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_a_word_and_moving_names_a_folder() {
        assert_eq!(parse("leave"), Ok(AfterImport::Leave));
        assert_eq!(parse("delete"), Ok(AfterImport::Delete));
        let folder = "Requests/Done: 2026".to_owned();
        assert_eq!(
            parse("move:Requests/Done: 2026"),
            Ok(AfterImport::Move { folder })
        );
        for wrong in ["", "move", "move:", "move: ", "Delete", "delete:Inbox"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
