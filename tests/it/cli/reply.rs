//! `mailroom reply`: what scripts rely on.

use super::terminal::Terminal;
use crate::world::{SUPPORT, mail};

const FOREIGN: &str = "sales@contoso.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_answered_from_a_file_and_never_without_one() {
    let terminal = Terminal::new(&[]).await;
    let connected = terminal.run(&terminal.connect(SUPPORT)).await;
    assert_eq!(connected.code, 0, "{connected:?}");
    terminal
        .deliver(&mail("reply-1@t.example", "Defekte Lampe", ""))
        .await;
    terminal.run(&["sync", SUPPORT, "--once"]).await;
    let found = ["tickets", "--search", "Defekte Lampe", "--json"];
    let page = terminal.run(&found).await.json();
    let id = page["tickets"][0]["id"].to_string();

    let file = terminal.folder.path().join("answer.txt");
    std::fs::write(&file, "Wir schicken eine neue.\n").unwrap();
    let file = file.to_str().unwrap();
    for (args, code) in [
        (vec!["reply", &id], 2),
        (vec!["reply", &id, "--text-file", "/no/such/file"], 2),
        (vec!["reply", "4711", "--text-file", file], 1),
        (
            vec!["reply", &id, "--text-file", file, "--rehearse", "--again"],
            2,
        ),
        (
            vec!["reply", &id, "--text-file", file, "--from", "nobody"],
            2,
        ),
        (
            vec!["reply", &id, "--text-file", file, "--from", FOREIGN],
            1,
        ),
    ] {
        let refused = terminal.run(&args).await;
        assert_eq!(
            (refused.code, refused.stdout.as_str()),
            (code, ""),
            "{args:?}: {refused:?}"
        );
        assert!(!refused.stderr.is_empty());
        if args.contains(&FOREIGN) {
            assert!(refused.stderr.contains(FOREIGN), "{refused:?}");
            assert!(refused.stderr.contains(SUPPORT), "{refused:?}");
        }
    }

    let rehearse = ["reply", &id, "--text-file", file, "--rehearse"];
    let shown = terminal.run(&rehearse).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    assert!(shown.stdout.contains("ida@fabrikam.example"), "{shown:?}");

    assert!(shown.stdout.contains(SUPPORT), "{shown:?}");

    let sent = terminal
        .run(&[
            "reply",
            &id,
            "--text-file",
            file,
            "--from",
            SUPPORT,
            "--json",
        ])
        .await;
    assert_eq!(sent.code, 0, "{sent:?}");
    let reply = sent.json();
    assert_eq!(reply["from"], SUPPORT);
    assert_eq!(reply["sent"], true);
    assert_eq!(reply["kept"], true);
    assert_eq!(reply["copy_failed"], false);
    let ticket = terminal.run(&["ticket", &id, "--json"]).await.json();
    let messages = ticket["messages"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "{ticket}");
    assert_eq!(messages[1]["from"]["address"], SUPPORT);
}
