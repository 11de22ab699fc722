//! `/mailFolders`: the tree of folders and their counts.

use http::Method;
use serde_json::{Map, Value, json};

use super::access::Visit;
use super::answer::{Answer, Refusal};
use super::query::{Options, next_link};
use super::{mailbox_settings, messages};
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::folder::Folder;
use crate::tenant::mailboxes::ids::{FolderKey, folder_id};

const PROPERTIES: [&str; 8] = [
    "id",
    "displayName",
    "parentFolderId",
    "childFolderCount",
    "unreadItemCount",
    "totalItemCount",
    "sizeInBytes",
    "isHidden",
];
const TYPE: &str = "microsoft.graph.mailFolder";

/// Everything from `/mailFolders` on.
pub(super) fn route(visit: &Visit<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    match path {
        [] => collection(visit, None),
        ["delta"] => Err(Refusal::bad(
            "Folder changes are not part of this practice tenant.",
        )),
        [folder] => one(visit, folder),
        [folder, rest @ ..] => match (rest[0].to_lowercase().as_str(), &rest[1..]) {
            ("childfolders", []) => collection(visit, Some(folder)),
            ("messages", rest) => messages::route(visit, Some(folder), rest),
            ("messagerules", []) => mailbox_settings::rules(visit, folder),
            _ => Err(Refusal::no_segment(rest[0])),
        },
    }
}

/// The folder a path names.
pub(super) fn find<'m>(mailbox: &'m Mailbox, name: &str) -> Result<&'m Folder, Refusal> {
    mailbox.find_folder(name).ok_or_else(|| {
        // A well-formed id of a folder that is gone differs from something that is no id at all.
        if name.len() < 60 {
            Refusal::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
        } else {
            Refusal::gone()
        }
    })
}

fn collection(visit: &Visit<'_>, parent: Option<&str>) -> Result<Answer, Refusal> {
    let call = visit.call;
    if *visit.method() == Method::POST {
        return create(visit, parent);
    }
    if *visit.method() != Method::GET {
        return Err(Refusal::no_method());
    }
    let options = Options::read(call, &["top", "skip", "count", "select"], TYPE, &PROPERTIES)?;
    let top = options.top.unwrap_or(10);
    visit.read(|mailbox| {
        let parent = match parent {
            Some(name) => find(mailbox, name)?.key,
            None => mailbox.well_known("msgfolderroot"),
        };
        let mut folders: Vec<&Folder> = mailbox
            .children(parent)
            .filter(|folder| options.hidden || !folder.hidden)
            .collect();
        folders.sort_by_key(|folder| folder.name.to_lowercase());
        let value: Vec<Value> = folders
            .iter()
            .skip(options.skip)
            .take(top)
            .map(|folder| resource(mailbox, folder, options.select.as_deref()))
            .collect();
        let mut body = Map::new();
        let context = format!("{}/v1.0/$metadata#{}/mailFolders", call.root, visit.owner());
        body.insert("@odata.context".into(), context.into());
        if options.count {
            body.insert("@odata.count".into(), folders.len().into());
        }
        if options.skip + top < folders.len() {
            body.insert(
                "@odata.nextLink".into(),
                next_link(call, options.skip + top).into(),
            );
        }
        body.insert("value".into(), value.into());
        Ok(Answer::json(Value::Object(body)))
    })
}

fn one(visit: &Visit<'_>, name: &str) -> Result<Answer, Refusal> {
    if *visit.method() != Method::GET {
        return Err(Refusal::no_method());
    }
    let options = Options::read(visit.call, &["select"], TYPE, &PROPERTIES)?;
    visit.read(|mailbox| {
        let folder = resource(mailbox, find(mailbox, name)?, options.select.as_deref());
        Ok(Answer::json(entity(visit, folder)))
    })
}

fn create(visit: &Visit<'_>, parent: Option<&str>) -> Result<Answer, Refusal> {
    let body = visit.call.json()?;
    let name = body["displayName"]
        .as_str()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    let name = name.ok_or_else(|| Refusal::bad("The displayName of the folder is missing."))?;
    visit.write(|mailbox| {
        let parent = match parent {
            Some(parent) => find(mailbox, parent)?.key,
            None => mailbox.well_known("msgfolderroot"),
        };
        let key = mailbox.add_folder(parent, name).ok_or_else(|| {
            let text = "A folder with the specified name already exists.";
            Refusal::new(409, "ErrorFolderExists", text)
        })?;
        let folder = mailbox
            .folder(key)
            .map(|folder| resource(mailbox, folder, None));
        Ok(Answer::created(entity(visit, folder.unwrap_or_default())))
    })
}

fn entity(visit: &Visit<'_>, mut folder: Value) -> Value {
    let context = format!(
        "{}/v1.0/$metadata#{}/mailFolders/$entity",
        visit.call.root,
        visit.owner()
    );
    folder["@odata.context"] = context.into();
    folder
}

fn resource(mailbox: &Mailbox, folder: &Folder, select: Option<&[String]>) -> Value {
    let id = |key: FolderKey| folder_id(mailbox.guid, key);
    let all = json!({
        "id": id(folder.key),
        "displayName": folder.name,
        "parentFolderId": folder.parent.map(id),
        "childFolderCount": mailbox.children(folder.key).filter(|child| !child.hidden).count(),
        "unreadItemCount": folder.unread,
        "totalItemCount": folder.by_time.len(),
        "sizeInBytes": folder.size,
        "isHidden": folder.hidden,
    });
    let Value::Object(mut all) = all else {
        return Value::Null;
    };
    if let Some(select) = select {
        all.retain(|name, _| name == "id" || select.contains(name));
    } else {
        // Graph shows the size only to those who ask for it.
        all.remove("sizeInBytes");
    }
    Value::Object(all)
}
