//! Finding a folder, and all folders.

use super::*;
use crate::provider::{FolderEntry, SpecialUse};

#[tokio::test]
async fn lists_folders_as_a_tree_with_paths_that_find_them_again() {
    fn answer(url: &str) -> (u16, Value) {
        let folder = |id: &str, name: &str, children: i64| json!({"id": id, "displayName": name, "totalItemCount": 2, "childFolderCount": children});
        match url.split('?').next().unwrap() {
            "/me/mailFolders/inbox" => (200, folder("in", "Posteingang", 1)),
            "/me/mailFolders/deleteditems" => (200, json!({"id": "gone"})),
            "/me/mailFolders" if url.contains("$skip") => {
                (200, json!({"value": [folder("gone", "Gelöscht", 0)]}))
            }
            "/me/mailFolders" => (
                200,
                json!({"value": [folder("in", "Posteingang", 1), folder("q", "Q/A", 1)],
                "@odata.nextLink": "NEXT"}),
            ),
            "/me/mailFolders/in/childFolders" => {
                (200, json!({"value": [folder("t", "Tech support", 0)]}))
            }
            "/me/mailFolders/q/childFolders" => {
                (200, json!({"value": [folder("q25", r"20\25", 0)]}))
            }
            _ => (404, json!({"error": {"code": "ErrorItemNotFound"}})),
        }
    }
    let (server, mailbox) = bench(|asked, _| {
        answered(asked, |_, url| {
            let (status, mut body) = answer(url);
            if body["@odata.nextLink"] == "NEXT" {
                let host = asked.header("host");
                body["@odata.nextLink"] =
                    json!(format!("http://{host}/v1.0/me/mailFolders?$skip=2"));
            }
            (status, body)
        })
    })
    .await;
    let folders = mailbox.folders().await.unwrap();
    let shown: Vec<(&str, &str, Option<SpecialUse>)> = folders
        .iter()
        .map(
            |FolderEntry {
                 id, path, special, ..
             }| (id.as_str(), path.as_str(), *special),
        )
        .collect();
    assert_eq!(
        shown,
        [
            ("in", "Posteingang", Some(SpecialUse::Inbox)),
            ("t", "Posteingang/Tech support", None),
            ("q", r"Q\/A", None),
            ("q25", r"Q\/A/20\\25", None),
            ("gone", "Gelöscht", Some(SpecialUse::Trash)),
        ]
    );
    for folder in &folders {
        assert_eq!(
            mailbox.folder(Some(&folder.path)).await.unwrap().id,
            folder.id
        );
    }
    assert_eq!(mailbox.folder(Some("Q/A")).await.unwrap().id, "q");
    assert!(server.asked().len() < 40);
}
