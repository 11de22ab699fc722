//! Telling Graph what was imported.

use super::*;
use crate::provider::{Mark, Then};

#[tokio::test]
async fn marks_keep_other_categories_and_skip_what_is_done_or_gone() {
    let (server, mailbox) = bench(|asked, _| {
        let responses: Vec<Value> = requests(asked)
            .iter()
            .map(|request| {
                let url = request["url"].as_str().unwrap();
                let (status, body) = match (request["method"].as_str().unwrap(), url) {
                    ("PATCH", _) => (200, json!({"id": "x"})),
                    (_, url) if url.contains("-0=") => (200, json!({"isRead": false, "categories": ["Blue"]})),
                    (_, url) if url.contains("-1=") => (200, json!({"isRead": true, "categories": ["mailroom"]})),
                    (_, url) if url.contains("-2=") => (404, json!({"error": {"code": "ErrorItemNotFound"}})),
                    (_, url) if url.contains("-3=") => (403, json!({"error": {"code": "ErrorAccessDenied"}})),
                    _ => (200, json!({"isRead": true})),
                };
                json!({"id": request["id"], "status": status, "headers": {"Content-Type": "application/json"}, "body": body})
            })
            .collect();
        told(200, &json!({ "responses": responses }))
    })
    .await;
    let marks: Vec<Mark> = ids(5)
        .into_iter()
        .map(|server_id| Mark {
            server_id,
            folder_id: "inbox-id".to_owned(),
            read: true,
            category: Some("Mailroom".to_owned()),
            then: Then::Stay,
        })
        .collect();
    let results = mailbox.mark(&marks).await;
    assert!(matches!(&results[3], Err(ProviderError::Forbidden(_))));
    assert!(
        [0, 1, 2, 4].iter().all(|i| results[*i].is_ok()),
        "{results:?}"
    );
    let asked = server.asked();
    assert_eq!(asked.len(), 2);
    let patches = requests(&asked[1]);
    assert_eq!(patches.len(), 2);
    assert_eq!(
        patches[0]["body"],
        json!({"isRead": true, "categories": ["Blue", "Mailroom"]})
    );
    assert_eq!(patches[0]["headers"]["Content-Type"], "application/json");
    assert_eq!(patches[1]["body"], json!({"categories": ["Mailroom"]}));
}

#[tokio::test]
async fn moves_and_deletes_only_what_is_still_where_it_was_read() {
    let (server, mailbox) = bench(|asked, _| {
        answered(asked, |method, url| match (method, url) {
            ("GET", url) if url.contains("-1=") => {
                (200, json!({"isRead": true, "parentFolderId": "elsewhere"}))
            }
            ("GET", url) if url.contains("-4=?$select=categories") => {
                (200, json!({"isRead": true, "parentFolderId": "inbox-id"}))
            }
            ("GET", url) if url.contains("-4=") => {
                (404, json!({"error": {"code": "ErrorItemNotFound"}}))
            }
            ("GET", _) => (
                200,
                json!({"isRead": true, "id": "x", "parentFolderId": "inbox-id"}),
            ),
            (_, url) if url.contains("-3=") || url.contains("-4=") => {
                (404, json!({"error": {"code": "ErrorItemNotFound"}}))
            }
            _ => (201, json!({"id": "x"})),
        })
    })
    .await;
    let moved = Then::Move {
        folder_id: "done-id".to_owned(),
    };
    let thens = [
        moved.clone(),
        moved.clone(),
        Then::Delete { folder_id: None },
        moved.clone(),
        moved,
    ];
    let marks: Vec<Mark> = ids(5)
        .into_iter()
        .zip(thens)
        .map(|(server_id, then)| Mark {
            server_id,
            folder_id: "inbox-id".to_owned(),
            read: true,
            category: None,
            then,
        })
        .collect();
    let results = mailbox.mark(&marks).await;
    assert_eq!(
        asked_of(&server, "POST")
            .into_iter()
            .filter(|asked| asked.contains("/move"))
            .collect::<Vec<_>>(),
        [
            r#"/me/messages/AAkALgAA-0=/move {"destinationId":"done-id"}"#,
            r#"/me/messages/AAkALgAA-2=/move {"destinationId":"deleteditems"}"#,
            r#"/me/messages/AAkALgAA-3=/move {"destinationId":"done-id"}"#,
            r#"/me/messages/AAkALgAA-4=/move {"destinationId":"done-id"}"#,
        ]
    );
    // The folder of -3 is gone, the message of -4 is.
    assert!(
        matches!(
            &results[3],
            Err(ProviderError::Protocol("target_folder_gone", _))
        ),
        "{results:?}"
    );
    assert!(
        [0, 1, 2, 4].iter().all(|i| results[*i].is_ok()),
        "{results:?}"
    );
}

#[tokio::test]
async fn what_could_not_be_marked_is_not_moved() {
    let (server, mailbox) = bench(|asked, _| {
        answered(asked, |method, _| match method {
            "GET" => (200, json!({"isRead": false, "parentFolderId": "inbox-id"})),
            _ => (403, json!({"error": {"code": "ErrorAccessDenied"}})),
        })
    })
    .await;
    let mark = Mark {
        server_id: "AAkALgAA-0=".to_owned(),
        folder_id: "inbox-id".to_owned(),
        read: true,
        category: None,
        then: Then::Delete { folder_id: None },
    };
    let results = mailbox.mark(&[mark]).await;
    assert!(matches!(&results[0], Err(ProviderError::Forbidden(_))));
    assert!(
        !asked_of(&server, "POST")
            .iter()
            .any(|asked| asked.contains("/move"))
    );
}
