//! A token that expires in the middle of a session: it is renewed, and the command is given once more, once.

use super::scripted::{Script, Trick, serve};
use super::{Desk, Papers};
use crate::world::wait;
use mailroom_core::api;
use mailroom_sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_expires_mid_session_is_renewed_and_the_command_repeated_once() {
    let papers = Papers::new(&["127.0.0.1"]);
    for (at, trick) in [
        ("UID SEARCH", "TAG NO AccessTokenExpired\r\n"),
        (
            "HEADER.FIELDS",
            "TAG BAD Session invalidated - AccessTokenExpired\r\n",
        ),
        (
            "BODY.PEEK[])",
            "* BYE Session invalidated - AccessTokenExpired\r\n",
        ),
        (
            "BODY.PEEK[])",
            "* BYE Session expired, please login again.\r\n",
        ),
        ("UID STORE", "TAG NO [EXPIRED] That token is over.\r\n"),
    ] {
        let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
            .await
            .unwrap();
        let desk = Desk::beside(&sandbox, Some(&papers.ca)).await;
        let trick = match trick.starts_with('*') {
            true => Trick::Say(trick),
            false => Trick::Reply(trick),
        };
        let script = Script::new(at, trick, 1);
        let port = serve(&papers, script.clone()).await;
        let id = desk.connect_by_browser(&sandbox, port, None).await.id;
        desk.imported(id, 3).await;
        wait("the marks are made", async || {
            let details = api::address_details(&desk.app, id).await.unwrap();
            (details.pending_marks == 0).then_some(())
        })
        .await;
        let heard = script.heard();
        let words = |line: &String| line.split_once(' ').map(|(_, words)| words.to_owned());
        let heard: Vec<String> = heard.iter().filter_map(words).collect();
        let place = heard.iter().position(|line| line.contains(at)).unwrap();
        let refused = &heard[place];
        let times = heard.iter().filter(|line| *line == refused).count();
        assert_eq!(times, 2, "{at} {trick:?}: {heard:#?}");
        let signs_in = |line: &&String| line.starts_with("AUTHENTICATE");
        let before = heard[..place].iter().rfind(signs_in).unwrap();
        let after = heard[place..].iter().find(signs_in).unwrap();
        assert_ne!(before, after, "{at} {trick:?}: another token");
        desk.app.close().await;
    }
}
