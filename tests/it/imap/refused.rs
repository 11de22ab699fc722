//! What known providers answer to a password that they do not take, word for word, and what the person is told.

use super::scripted::{Script, Trick, serve};
use super::{Desk, Papers};
use mailroom_core::api;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::Station;
use mailroom_core::diagnosis::catalogue::{Fixer, Language, card};

/// Gmail's answers as people report them (github.com/LukeSmithxyz/mutt-wizard issue 831, andreiaugustin/gmail_extractor
/// issue 4; Gmail Help, "Fix problems with IMAP" for the browser), and the words that have to be on the card.
const SAID: [(&str, &str, &str); 2] = [
    (
        "TAG NO [ALERT] Application-specific password required: https://support.google.com/accounts/answer/185833 (Failure)\r\n",
        "Gmail sign-in",
        "https://myaccount.google.com/apppasswords",
    ),
    (
        "TAG NO [ALERT] Please log in via your web browser: https://support.google.com/mail/accounts/answer/78754 (Failure)\r\n",
        "Gmail browser first",
        "https://support.google.com/mail/accounts/answer/78754",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_gmail_does_not_take_gets_gmails_own_card() {
    for (said, code, link) in SAID {
        let papers = Papers::new(&["127.0.0.1"]);
        let script = Script::new("AUTHENTICATE", Trick::Reply(said), 1);
        let port = serve(&papers, script.clone()).await;
        let desk = Desk::new(Some(&papers.ca)).await;
        let error = desk.connect(port, "pw-CANARY", None, None).await;
        let error = error.unwrap_err();
        assert_eq!(error.code, ErrorCode::ServerRefused);
        let evidence = error.evidence.as_ref().unwrap();
        assert_eq!(evidence.code.as_deref(), Some(code));
        assert!(!format!("{error:?}").contains("CANARY"));

        // Once it works and is refused later on, the doctor says the same.
        let view = desk.connect(port, "pw-CANARY", None, None).await.unwrap();
        desk.verified(view.id).await;
        script.arm(u32::MAX);
        let map = api::check_address(&desk.app, view.id, None).await.unwrap();
        let failed = map.first_failed().unwrap();
        let finding = failed.finding.as_ref().unwrap();
        assert_eq!(
            (failed.station, finding.code.as_str()),
            (Station::SignIn, code)
        );
        assert!(!format!("{map:?}").contains("CANARY"));
        for language in Language::ALL {
            let card = card(code, &finding.args, language);
            assert!(card.known);
            assert_eq!(card.fixers, [Fixer::You]);
            assert!(card.links.iter().any(|place| place.url == link), "{code}");
        }
        desk.app.close().await;
    }
}
