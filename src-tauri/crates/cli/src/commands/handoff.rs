//! `hand-off`: the words for whoever can mend the first failure of an address, shown, saved or mailed.

use crate::args::{Common, HandOffArguments};
use crate::{Failure, print, session};
use mailroom_core::api;
use mailroom_core::api::error::{ApiError, ErrorCode};
use mailroom_core::api::view::{HandOff, HandOffFor, HandOffSender, MailHandOff};
use mailroom_core::app::App;
use mailroom_core::diagnosis::catalogue::Language;
use std::sync::Arc;

/// Shows the message on standard output; the address is checked first, so that it is about what is wrong now.
pub(crate) async fn run(common: &Common, options: HandOffArguments) -> Result<(), Failure> {
    let app = session::open(common, false).await?;
    let done = Box::pin(with(&app, common, options)).await;
    session::close(&app).await;
    done
}

async fn with(app: &Arc<App>, common: &Common, options: HandOffArguments) -> Result<(), Failure> {
    let Some(address) = options.address.as_deref().filter(|_| !options.list) else {
        return list(app, common).await;
    };
    if options.withdraw {
        return withdraw(app, address).await;
    }
    let language = session::language(common);
    let handoff = ask(app, address).await?;
    let message = handoff.messages.of(Language::from_tag(&language));
    if let Some(path) = &options.output {
        api::save_hand_off(app, handoff.id, &language, path).await?;
        print::note(&format!("Saved as {}.", path.display()));
    }
    if let (Some(to), Some(from)) = (options.to, options.from) {
        let from = sender(app, &from).await?;
        if options.send {
            let mail = MailHandOff {
                id: handoff.id,
                from: from.id,
                sender: Some(from.address),
                to,
                language,
                click: format!("{}-{}", std::process::id(), now()),
            };
            let handoff = api::mail_hand_off(app, mail).await?;
            return shown(common, &handoff);
        }
        print::note(&format!("From: {}", from.address));
        print::note(&format!("To: {to}"));
        print::note("This is not sent yet: add --send.");
    } else if options.output.is_some() && !common.json {
        return Ok(());
    }
    if common.json {
        print::json(&handoff);
    } else {
        print::line(&print::plain(&message.subject));
        print::line("");
        print::line(print::plain(&message.text).trim_end());
    }
    Ok(())
}

/// What is wrong now, handed over.
async fn ask(app: &Arc<App>, address: &str) -> Result<HandOff, Failure> {
    let id = api::find_address(app, address).await?;
    let whom = HandOffFor::Address(id);
    let details = api::address_details(app, id).await?.address;
    let map = api::check_address(app, id, None).await.ok();
    let found = map
        .iter()
        .flat_map(|map| &map.stations)
        .filter_map(|view| view.finding.as_ref())
        .chain(details.cause.as_ref())
        .find(|finding| finding.hand_off.is_some());
    let Some(finding) = found else {
        let nothing = ApiError::new(ErrorCode::WrongState);
        return Err(nothing.arg("value", address).into());
    };
    Ok(api::hand_off(app, whom, &finding.code).await?)
}

async fn sender(app: &App, address: &str) -> Result<HandOffSender, Failure> {
    let all = api::hand_off_senders(app).await?;
    let found = all
        .into_iter()
        .find(|sender| sender.address.eq_ignore_ascii_case(address));
    found.ok_or_else(|| {
        let missing = ApiError::new(ErrorCode::NotFound);
        missing.arg("value", address).into()
    })
}

fn shown(common: &Common, handoff: &HandOff) -> Result<(), Failure> {
    if common.json {
        print::json(handoff);
    } else if let Some(mailed) = &handoff.mailed {
        let sure = if mailed.unsure {
            "The server did not answer; it may have been sent"
        } else {
            "Sent"
        };
        print::note(&format!("{sure}: {} to {}.", mailed.from, mailed.to));
    }
    Ok(())
}

async fn list(app: &App, common: &Common) -> Result<(), Failure> {
    let all = api::list_hand_offs(app).await?;
    if common.json {
        print::json(&all);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            vec![
                one.address.clone(),
                one.code.clone(),
                word(&one.kind),
                word(&one.state),
                when(one.asked_at),
            ]
        })
        .collect();
    print::table(&["Address", "What", "With", "State", "Since"], &rows);
    Ok(())
}

async fn withdraw(app: &App, address: &str) -> Result<(), Failure> {
    let key = address.trim().to_lowercase();
    let mut any = false;
    for one in api::list_hand_offs(app).await? {
        if one.address.to_lowercase() == key {
            api::withdraw_hand_off(app, one.id).await?;
            any = true;
        }
    }
    if any {
        Ok(())
    } else {
        let nothing = ApiError::new(ErrorCode::NotFound);
        Err(nothing.arg("value", address).into())
    }
}

/// The word that the JSON has.
fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

fn when(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(|_| String::new(), |at| at.to_string())
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
