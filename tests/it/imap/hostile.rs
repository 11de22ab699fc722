//! Servers that mean harm, through the whole core.

use super::scripted::{Script, Trick, serve};
use super::{Desk, Papers};
use mailroom_core::api;
use mailroom_core::store::ledger::Outcome;
use mailroom_sandbox::Sandbox;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_server_says_while_connecting_connects_nothing() {
    let papers = Papers::new(&["127.0.0.1"]);
    let desk = Desk::new(Some(&papers.ca)).await;
    let tricks = [
        ("GREETING", Trick::Say("HTTP/1.1 400 Bad Request\r\n\r\n")),
        ("GREETING", Trick::Say("* PREAUTH somebody else's\r\n")),
        ("GREETING", Trick::Say("* BYE too many connections\r\n")),
        ("GREETING", Trick::Flood("x")),
        ("AUTHENTICATE", Trick::Say("other OK signed in\r\n")),
        ("AUTHENTICATE", Trick::Say("+ \r\n+ \r\n+ \r\n")),
        ("AUTHENTICATE", Trick::Flood("* OK still thinking\r\n")),
        ("SELECT", Trick::Say("* 1 FETCH (BODY[] {4294967295}\r\n")),
        (
            "SELECT",
            Trick::Say("* 1 FETCH (BODY[] {99999999999999999999999}\r\n"),
        ),
        (
            "SELECT",
            Trick::Say("* 3 EXISTS\r\nTAG OK without UIDVALIDITY\r\n"),
        ),
        (
            "SELECT",
            Trick::Say("* 1 FETCH (BODYSTRUCTURE ((((((((((((((((((((((((((((((\r\n"),
        ),
        ("SELECT", Trick::Say("TAG NO [SERVERBUG] no\r\n")),
        ("SELECT", Trick::Say("\u{0}\u{1}\u{2}\n")),
        (
            "SELECT",
            Trick::Say("* BYE Session invalidated - AccessTokenExpired\r\n"),
        ),
    ];
    let attempts = tricks.map(|(at, trick)| {
        let (papers, desk) = (&papers, &desk);
        async move {
            let port = serve(papers, Script::new(at, trick, u32::MAX)).await;
            // These futures are large, and here are many.
            let refused = Box::pin(desk.connect(port, "secret-CANARY", None, None)).await;
            let error = refused.expect_err(&format!("{at} {trick:?}"));
            assert!(!format!("{error:?}").contains("CANARY"), "{error:?}");
        }
    });
    futures_util::future::join_all(attempts).await;
    assert!(api::list_addresses(&desk.app).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_breaks_off_while_fetching_loses_and_doubles_nothing() {
    let papers = Papers::new(&["127.0.0.1"]);
    for (at, trick) in [
        (
            "BODY.PEEK[])",
            Trick::Say("* 1 FETCH (UID 1 BODY[] {900}\r\nhalf"),
        ),
        (
            "BODY.PEEK[])",
            Trick::Say("* BYE Connection is closed. 13\r\n"),
        ),
        (
            "BODY.PEEK[])",
            Trick::Say("* 1 FETCH (UID 1 BODY[] {4000000000}\r\nx"),
        ),
        ("BODY.PEEK[])", Trick::Say("wrong OK done\r\n")),
        (
            "BODY.PEEK[])",
            Trick::Say("* 1 FETCH (UID 1 BODY[ nonsense\r\nTAG OK done\r\n"),
        ),
        (
            "UID SEARCH",
            Trick::Say("* SEARCH 1 2 x\r\nTAG OK done\r\n"),
        ),
        (
            "HEADER.FIELDS",
            Trick::Say("* 1 FETCH (UID 1 FLAGS (\r\nTAG OK done\r\n"),
        ),
    ] {
        let desk = Desk::new(Some(&papers.ca)).await;
        let port = serve(&papers, Script::new(at, trick, 1)).await;
        let view = desk.connect(port, "secret", None, None).await.unwrap();
        desk.imported(view.id, 3).await;
        let all = api::ledger(&desk.app, view.id, None, None, 0, 50).await;
        assert_eq!(all.unwrap().len(), 3, "{at} {trick:?}");
        assert!(desk.ledger(view.id, Outcome::Skipped).await.is_empty());
        desk.app.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_to_a_server_with_the_wrong_certificate() {
    let (papers, others) = (Papers::new(&["127.0.0.1"]), Papers::new(&["other.example"]));
    for (trusted, code) in [(&papers, "tls_unknown_issuer"), (&others, "tls_wrong_name")] {
        let script = Script::new("never", Trick::Say(""), 0);
        let port = serve(&others, script.clone()).await;
        let desk = Desk::new(Some(&trusted.ca)).await;
        let error = desk.connect(port, "secret", None, None).await.unwrap_err();
        assert_eq!(error.evidence.unwrap().code.as_deref(), Some(code));
        let heard = script.heard();
        assert!(heard.iter().all(|line| line == "GREETING"), "{heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signs_in_through_the_browser_and_hands_the_token_over_by_xoauth2() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let papers = Papers::new(&["127.0.0.1"]);
    let script = Script::new("never", Trick::Say(""), 0);
    let port = serve(&papers, script.clone()).await;
    let desk = Desk::beside(&sandbox, Some(&papers.ca)).await;
    let view = desk.connect_by_browser(&sandbox, port, None).await;
    desk.imported(view.id, 3).await;
    let heard = script.heard().join("\n");
    assert!(heard.contains("AUTHENTICATE XOAUTH2 "), "{heard}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_by_the_sign_in_is_renewed_once() {
    let sandbox = Sandbox::start(mailroom_sandbox::Options::default())
        .await
        .unwrap();
    let papers = Papers::new(&["127.0.0.1"]);
    for trick in [
        Trick::Reply("TAG NO Session invalidated - AccessTokenExpired\r\n"),
        Trick::Say("* BYE Session invalidated - AccessTokenExpired\r\n"),
    ] {
        let script = Script::new("AUTHENTICATE XOAUTH2", trick, 1);
        let port = serve(&papers, script.clone()).await;
        let desk = Desk::beside(&sandbox, Some(&papers.ca)).await;
        desk.connect_by_browser(&sandbox, port, None).await;
        let heard = script.heard();
        let mut proofs = heard
            .iter()
            .filter_map(|line| line.split("XOAUTH2 ").nth(1));
        let (first, second) = (proofs.next().unwrap(), proofs.next().unwrap());
        assert_ne!(first, second, "{trick:?}: the second one is another token");
        desk.app.close().await;
    }
}
