//! Sending as the address: known only by the test mail that somebody agreed to; that an SMTP server lets nobody sign in is
//! known before. That `Mail.Send` is granted is [`super::consent`]'s.

use super::{facts, instant, refused};
use crate::diagnosis::evidence::{SendEvidence, SendingWay, SentPlace};
use crate::diagnosis::map::{Facts, Judgement};
use crate::diagnosis::{Finding, Severity};
use crate::provider::ProviderError;

/// Judges sending.
pub fn check(seen: &SendEvidence) -> Judgement {
    let mut facts = match &seen.way {
        SendingWay::Provider => facts([]),
        SendingWay::None => {
            let finding = Finding::plain("no_outbound", Severity::Warning);
            return Judgement::unknown(Some(finding), facts([]));
        }
        SendingWay::Server(host, asked) => match asked.as_ref() {
            Ok(offer) => facts([
                ("smtp_host", host.clone()),
                (
                    "size_limit",
                    offer.size.map_or_else(String::new, |size| size.to_string()),
                ),
            ]),
            Err(error) => return not_served(host, error),
        },
    };
    facts.extend(copies(&seen.copies));
    let Some(test) = &seen.test else {
        let finding = Finding::plain("sending_unproven", Severity::Ok);
        return Judgement::unknown(Some(finding), facts);
    };
    facts.insert("tested_at".to_owned(), instant(Some(test.sent_at)));
    match &test.refusal {
        Some(refusal) => Judgement::failed(refusal.clone(), facts),
        None => Judgement::ok(facts),
    }
}

/// Where copies lie, as facts.
fn copies(place: &SentPlace) -> Facts {
    let (kind, name, value) = match place {
        SentPlace::Unknown => return Facts::new(),
        SentPlace::SentItems(mailbox) => ("sent_items", "sent_mailbox", mailbox.clone()),
        SentPlace::Server(login) => ("server", "sent_mailbox", login.clone()),
        SentPlace::Folder(folder) => ("folder", "sent_folder", folder.clone()),
        SentPlace::Nowhere => ("nowhere", "sent_folder", String::new()),
        SentPlace::Failed => ("failed", "sent_folder", String::new()),
    };
    facts([("sent_copy", kind.to_owned()), (name, value)])
}

/// The server refuses already before a message.
fn not_served(host: &str, error: &ProviderError) -> Judgement {
    let mut judgement = refused(error, facts([("smtp_host", host.to_owned())]));
    if let Some(finding) = &mut judgement.finding {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        let args = &mut finding.args;
        args.entry("host".to_owned())
            .or_insert_with(|| name.to_owned());
    }
    judgement
}

#[cfg(test)]
mod tests {
    use super::super::testing::{refusal, said, seen};
    use super::*;
    use crate::diagnosis::map::StationState as S;
    use crate::store::own_tests::OwnTest;

    fn no() -> ProviderError {
        ProviderError::Unauthorized(said("SMTP password refused", 0))
    }

    #[test]
    fn sending_is_unknown_until_it_was_tried() {
        let test = |refusal| SendEvidence {
            way: SendingWay::Provider,
            folder: String::new(),
            copies: SentPlace::Unknown,
            test: Some(OwnTest {
                id: 1,
                sent_at: 5,
                arrived_at: None,
                took_ms: None,
                refusal,
                in_inbox: false,
            }),
        };
        for (evidence, expected) in [
            (
                SendEvidence::default(),
                (S::Unknown, "sending_unproven", false),
            ),
            (test(None), (S::Ok, "", false)),
            (
                test(refusal("ErrorSendAsDenied")),
                (S::Failed, "ErrorSendAsDenied", true),
            ),
            (
                SendEvidence {
                    way: SendingWay::None,
                    ..SendEvidence::default()
                },
                (S::Unknown, "no_outbound", false),
            ),
            (
                SendEvidence {
                    copies: SentPlace::Unknown,
                    test: None,
                    way: SendingWay::Server("mail.contoso.example:587".into(), Box::new(Err(no()))),
                    folder: String::new(),
                },
                (S::Failed, "SMTP password refused", true),
            ),
        ] {
            assert_eq!(seen(&check(&evidence)), expected, "{evidence:?}");
        }
    }

    #[test]
    fn says_where_copies_lie() {
        for (copies, kind, place) in [
            (
                SentPlace::SentItems("info@contoso.example".into()),
                "sent_items",
                "info@contoso.example",
            ),
            (SentPlace::Server("kim".into()), "server", "kim"),
            (SentPlace::Folder("Sent".into()), "folder", "Sent"),
            (SentPlace::Nowhere, "nowhere", ""),
            (SentPlace::Failed, "failed", ""),
        ] {
            let facts = check(&SendEvidence {
                copies,
                ..SendEvidence::default()
            })
            .facts;
            assert_eq!(facts["sent_copy"], kind);
            let said = facts.get("sent_folder").or(facts.get("sent_mailbox"));
            assert_eq!(said.map_or("", String::as_str), place);
        }
    }
}
