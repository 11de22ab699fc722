//! The proof of sending: a small mail that an address sends to itself, and the time until it is back.

use super::{AHEAD, Known, Lights, check_address, known};
use crate::Millis;
use crate::account::EmailAddress;
use crate::api::view::{ConnectionMap, Station, StationState};
use crate::app::App;
use crate::diagnosis::checks::finding_of;
use crate::diagnosis::evidence::{self, SendEvidence, SendingWay, SentPlace};
use crate::diagnosis::map::Judgement;
use crate::provider::Provider;
use crate::provider::outbound::{Envelope, NotSent, Outbound};
use crate::store::{StoreError, own_tests};
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use std::time::{Duration, Instant};

/// How long the mail is waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);
/// So many of the newest messages are looked through.
const NEWEST: u32 = 25;

/// Checks the address, and where mail can be read sends a mail to itself and waits for it. The result is kept and
/// shows on later maps. Nothing where there is no such address.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn prove_sending(app: &App, id: i64) -> Result<Option<ConnectionMap>, StoreError> {
    let Some(map) = Box::pin(check_address(app, id, None)).await? else {
        return Ok(None);
    };
    let reads = map
        .station(Station::Fetch)
        .is_some_and(|view| view.state == StationState::Ok);
    if !reads {
        return Ok(Some(map));
    }
    let Some(known) = known(app, id).await? else {
        return Ok(None);
    };
    let provider = app
        .context
        .connections
        .provider(&known.row, &known.account)
        .await;
    let outbound = app
        .context
        .connections
        .outbound(&known.row, &known.account)
        .await;
    let address = EmailAddress::parse(&known.row.address);
    let (Ok(provider), Ok(Some(outbound)), Some(address)) = (provider, outbound, address) else {
        return Ok(Some(map));
    };
    let took = test(app, &known, (&provider, &outbound), &address).await?;
    let Some(known) = super::known(app, id).await? else {
        return Ok(None);
    };
    let map = lit(app, &known, map, took);
    super::settle(app, &known, &map).await?;
    Ok(Some(map))
}

/// How long handing over took, and the whole trip.
struct Took {
    sending: Duration,
    trip: Option<Duration>,
    /// Where the copy lies.
    copies: SentPlace,
}

async fn test(
    app: &App,
    known: &Known,
    (provider, outbound): (&Provider, &Outbound),
    address: &EmailAddress,
) -> Result<Took, StoreError> {
    let (address_id, sent_at) = (known.row.id, app.context.clock.now());
    let token = uuid::Uuid::new_v4().simple().to_string();
    let message_id = format!("mailroom-test.{token}@{}", address.domain());
    let raw = mail(address, &message_id, &token, sent_at).map_err(StoreError::Folder)?;
    let envelope = Envelope {
        from: address.clone(),
        to: vec![address.clone()],
    };
    let turn = app.context.turn(outbound).await;
    let noted = (message_id.clone(), token.clone());
    let test = app
        .context
        .store
        .write(move |tx| own_tests::begin(tx, address_id, &noted.0, &noted.1, sent_at))
        .await?;
    let begun = Instant::now();
    let sending = turn.send(&envelope, &raw);
    // Whoever does not answer in time may have taken it all the same: then it arrives.
    let sent = tokio::time::timeout(PATIENCE, sending).await;
    let sending = begun.elapsed();
    if let Ok(Err(NotSent {
        error,
        may_have_left: false,
    })) = &sent
    {
        let refusal = finding_of(error).about(
            &known.row.address,
            Some(&known.account.identity.login_name),
            &known.account.registration,
        );
        app.context
            .store
            .write(move |tx| own_tests::refused(tx, test, &refusal))
            .await?;
        return Ok(Took {
            sending,
            trip: None,
            copies: SentPlace::Unknown,
        });
    }
    let copies = match sent {
        Ok(Ok(sent)) => super::place_of(&known.row, sent.copy),
        Ok(Err(_)) | Err(_) => SentPlace::Unknown,
    };
    let mut found = None;
    let mut places = Places::new(known);
    while found.is_none() && begun.elapsed() < PATIENCE {
        match places.find(app, provider, &message_id, &token).await {
            Some(in_inbox) => found = Some((begun.elapsed(), in_inbox)),
            None => tokio::time::sleep(LOOK).await,
        }
    }
    if let Some((trip, in_inbox)) = found {
        let arrived_at = sent_at + Millis::try_from(trip.as_millis()).unwrap_or(0);
        let took_ms = u32::try_from(trip.as_millis()).unwrap_or(u32::MAX);
        app.context
            .store
            .write(move |tx| own_tests::arrived(tx, test, arrived_at, took_ms, in_inbox))
            .await?;
    }
    Ok(Took {
        sending,
        trip: found.map(|(trip, _)| trip),
        copies,
    })
}

/// Where the mail may arrive: in the folder that is read, and beside it in the inbox, from which only a rule moves mail.
struct Places {
    folder: String,
    reads_inbox: bool,
    inbox: Option<String>,
}

impl Places {
    fn new(known: &Known) -> Self {
        Self {
            folder: known.row.folder_id.clone(),
            reads_inbox: known.row.folder_path.is_none(),
            inbox: None,
        }
    }

    /// Looks once: nothing where it is in neither, else whether it is in the inbox only. Nothing is changed on the server.
    async fn find(
        &mut self,
        app: &App,
        provider: &Provider,
        message_id: &str,
        token: &str,
    ) -> Option<bool> {
        if is_in(app, provider, &self.folder, message_id, token).await {
            return Some(false);
        }
        if self.reads_inbox {
            return None;
        }
        if self.inbox.is_none() {
            match evidence::within(provider.inbox()).await {
                Ok(inbox) => self.inbox = Some(inbox.id),
                Err(error) => tracing::debug!(%error, "The inbox could not be looked for."),
            }
        }
        let inbox = self.inbox.as_deref().filter(|id| *id != self.folder)?;
        let there = is_in(app, provider, inbox, message_id, token).await;
        there.then_some(true)
    }
}

async fn is_in(
    app: &App,
    provider: &Provider,
    folder: &str,
    message_id: &str,
    token: &str,
) -> bool {
    let until = app.context.clock.now() + AHEAD;
    match evidence::listed(provider, folder, until, NEWEST).await {
        Ok(messages) => messages.iter().any(|message| {
            message.message_id.as_deref() == Some(message_id) || message.subject.ends_with(token)
        }),
        Err(error) => {
            tracing::debug!(%error, "The test mail could not be looked for.");
            false
        }
    }
}

/// Lights the last two stations by what was just measured.
fn lit(app: &App, known: &Known, map: ConnectionMap, took: Took) -> ConnectionMap {
    let id = known.row.id;
    let mut lights = Lights {
        map,
        until: Station::RoundTrip,
        address: known.row.address.clone(),
        login: Some(known.account.identity.login_name.clone()),
        registration: known.account.registration.clone(),
        scopes: crate::oauth::scopes(known.row.mailbox.is_some()),
        remembered: None,
        tell: Box::new(|_| {}),
    };
    // What an earlier test left behind this station is over.
    lights.light(Station::Mark, mark(known), None);
    let seen = SendEvidence {
        test: known.test.clone(),
        way: SendingWay::Provider,
        folder: known.row.folder_name.clone(),
        copies: took.copies,
    };
    super::sending(&mut lights, known.row.mailbox.is_some(), &seen, None);
    let mut map = lights.map;
    for view in &mut map.stations {
        let took = if view.station == Station::Send {
            Some(took.sending)
        } else if view.station == Station::RoundTrip {
            took.trip
        } else {
            continue;
        };
        if view.state != StationState::Blocked {
            view.took_ms = took.map(|took| u32::try_from(took.as_millis()).unwrap_or(u32::MAX));
        }
    }
    app.maps.keep(id, &map);
    app.announce(crate::api::view::Notice::Check {
        id,
        map: Box::new(map.clone()),
    });
    map
}

fn mark(known: &Known) -> Judgement {
    crate::diagnosis::checks::mark::check(&known.marks)
}

/// The test mail (RFC 5322). `Auto-Submitted` (RFC 3834) and Exchange's own header keep automatic answers away.
fn mail(
    address: &EmailAddress,
    message_id: &str,
    token: &str,
    now: Millis,
) -> std::io::Result<Vec<u8>> {
    let text = "This is a test that Mailroom sent from this address to itself, to prove that sending works.\r\n\
        It does not become a ticket. You may delete it.\r\n\r\n\
        Mit dieser Testnachricht von dieser Adresse an sich selbst hat Mailroom das Senden gepr\u{fc}ft.\r\n\
        Sie wird kein Ticket. Sie k\u{f6}nnen sie l\u{f6}schen.\r\n\r\n\
        \u{9001}\u{4fe1}\u{3092}\u{78ba}\u{8a8d}\u{3059}\u{308b}\u{305f}\u{3081}\u{3001}Mailroom \u{304c}\u{3053}\u{306e}\u{30a2}\u{30c9}\u{30ec}\u{30b9}\u{304b}\u{3089}\u{81ea}\u{5206}\u{5b9b}\u{3066}\u{306b}\u{9001}\u{4fe1}\u{3057}\u{305f}\u{30c6}\u{30b9}\u{30c8}\u{3067}\u{3059}\u{3002}\r\n\
        \u{30c1}\u{30b1}\u{30c3}\u{30c8}\u{306b}\u{306f}\u{306a}\u{308a}\u{307e}\u{305b}\u{3093}\u{3002}\u{524a}\u{9664}\u{3057}\u{3066}\u{304b}\u{307e}\u{3044}\u{307e}\u{305b}\u{3093}\u{3002}\r\n";
    MessageBuilder::new()
        .from(address.as_str())
        .to(address.as_str())
        .subject(format!("Mailroom test {token}"))
        .date(now / 1000)
        .message_id(message_id)
        .header("Auto-Submitted", Raw::new("auto-generated"))
        .header("X-Auto-Response-Suppress", Raw::new("All"))
        .text_body(text)
        .write_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_mail_says_what_it_is_and_asks_for_no_answer() {
        let address = EmailAddress::parse("support@contoso.example").unwrap();
        let raw = mail(&address, "mailroom-test.t1@contoso.example", "t1", 0).unwrap();
        assert!(raw.is_ascii(), "no server has to take eight bits");
        let parsed = crate::import::parse::parse(&bytes::Bytes::from(raw));
        assert_eq!(parsed.subject, "Mailroom test t1");
        assert_eq!(parsed.from.address, "support@contoso.example");
        let id = parsed.message_id.as_deref();
        assert_eq!(id, Some("mailroom-test.t1@contoso.example"));
        assert!(parsed.automatic.is_some());
        assert!(parsed.text.contains("does not become a ticket"));
        assert!(parsed.damage.is_empty(), "{:?}", parsed.damage);
    }
}
