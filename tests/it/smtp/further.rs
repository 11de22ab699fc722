//! Additional From addresses: in the list wherever somebody chooses the address that a mail is from, and what the server
//! thinks of each is said.

use super::{OWN, reading};
use crate::imap::dovecot::Dovecot;
use crate::world::wait;
use mailroom_core::api::error::ErrorCode;
use mailroom_core::api::view::{HandOffFor, MailHandOff, StationState};
use mailroom_core::api::{self, SmtpInput};
use mailroom_rigs::postfix::{self, Postfix, Ways};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_mailed_from_the_address_that_was_chosen_or_not_at_all() {
    if !postfix::is_possible() {
        return;
    }
    let dovecot = Dovecot::start().await;
    // `sales` is this login's; the address itself and `info` are not.
    let senders =
        "support@contoso.example=kim}, {sales@contoso.example=support}, {info@contoso.example=kim";
    let settings = format!("smtpd_sender_login_maps = inline:{{ {{{senders}}} }}\n");
    let ways = Ways {
        settings: &settings,
        papers: None,
    };
    let postfix = Postfix::start(&dovecot, ways).await;
    let (desk, id) = reading(&dovecot, &dovecot.papers.ca, None).await;
    let input = SmtpInput {
        server: format!("127.0.0.1:{}", postfix.submission),
        from: ["sales@contoso.example", "info@contoso.example"]
            .map(str::to_owned)
            .to_vec(),
        ..SmtpInput::default()
    };
    api::set_outbound(&desk.app, id, input, None).await.unwrap();
    let senders = api::hand_off_senders(&desk.app).await.unwrap();
    let names: Vec<&str> = senders.iter().map(|one| one.address.as_str()).collect();
    assert_eq!(
        names,
        [OWN, "sales@contoso.example", "info@contoso.example"]
    );
    assert!(senders.iter().all(|one| one.id == id));

    let map = api::prove_sending(&desk.app, id).await.unwrap();
    assert_eq!(map.send_as, StationState::Failed);
    let whom = HandOffFor::Address(id);
    let asked = api::hand_off(&desk.app, whom, "SMTP sender not owned")
        .await
        .unwrap();
    let mail = |sender: &str| MailHandOff {
        id: asked.id,
        from: id,
        sender: Some(sender.to_owned()),
        to: OWN.to_owned(),
        language: "en".to_owned(),
        click: sender.to_owned(),
    };
    let sent = api::mail_hand_off(&desk.app, mail("sales@contoso.example"))
        .await
        .unwrap();
    assert_eq!(sent.mailed.unwrap().from, "sales@contoso.example");
    wait("the mail arrives from the chosen address", async || {
        let from = "Return-Path: <sales@contoso.example>";
        let mails = dovecot.mails();
        mails
            .iter()
            .any(|mail| mail.starts_with(from))
            .then_some(())
    })
    .await;
    let refused = api::mail_hand_off(&desk.app, mail("info@contoso.example"))
        .await
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::ServerRefused);
    let evidence = refused.evidence.unwrap();
    assert_eq!(evidence.code.as_deref(), Some("SMTP sender not owned"));
    let unknown = api::mail_hand_off(&desk.app, mail("kim@contoso.example"))
        .await
        .unwrap_err();
    assert_eq!(unknown.code, ErrorCode::NotFound);
    assert_eq!(
        dovecot.mails().len(),
        1,
        "nothing left from another address"
    );
    desk.app.close().await;
}
