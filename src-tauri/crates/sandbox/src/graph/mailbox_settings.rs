//! `/mailboxSettings` and the inbox rules: what may forward or answer mail behind our back.

use http::Method;
use serde_json::json;

use super::access::Visit;
use super::answer::{Answer, Refusal};
use super::mail_folders;
use crate::tenant::mailboxes::ids::folder_id;

/// `GET /me/mailboxSettings` and its parts. Only for one's own mailbox.
pub(super) fn route(visit: &Visit<'_>, path: &[&str]) -> Result<Answer, Refusal> {
    allow(visit)?;
    let date = |time: &str| json!({"dateTime": time, "timeZone": "UTC"});
    let replies = json!({
        "status": "disabled",
        "externalAudience": "all",
        "internalReplyMessage": "",
        "externalReplyMessage": "",
        "scheduledStartDateTime": date("2026-01-01T08:00:00.0000000"),
        "scheduledEndDateTime": date("2026-01-02T08:00:00.0000000"),
    });
    let language = json!({"locale": visit.user.language, "displayName": visit.user.language});
    let mut settings = json!({
        "@odata.context": format!("{}/v1.0/$metadata#{}/mailboxSettings", visit.call.root, visit.owner()),
        "archiveFolder": visit.look(|mailbox| Ok(folder_id(mailbox.guid, mailbox.well_known("archive"))))?,
        "timeZone": "W. Europe Standard Time",
        "delegateMeetingMessageDeliveryOptions": "sendToDelegateOnly",
        "dateFormat": "yyyy-MM-dd",
        "timeFormat": "HH:mm",
        "userPurpose": "user",
        "automaticRepliesSetting": replies,
        "language": language,
        "workingHours": {
            "daysOfWeek": ["monday", "tuesday", "wednesday", "thursday", "friday"],
            "startTime": "08:00:00.0000000",
            "endTime": "17:00:00.0000000",
            "timeZone": {"name": "W. Europe Standard Time"},
        },
    });
    match path {
        [] => Ok(Answer::json(settings)),
        [part] => match settings.get_mut(*part).map(serde_json::Value::take) {
            Some(part @ serde_json::Value::Object(_)) => Ok(Answer::json(part)),
            Some(part) => Ok(Answer::json(json!({"value": part}))),
            None => Err(Refusal::no_segment(part)),
        },
        [_, part, ..] => Err(Refusal::no_segment(part)),
    }
}

/// `GET /me/mailFolders/inbox/messageRules`.
pub(super) fn rules(visit: &Visit<'_>, folder: &str) -> Result<Answer, Refusal> {
    allow(visit)?;
    visit.look(|mailbox| {
        let folder = mail_folders::find(mailbox, folder)?;
        if folder.well_known.as_deref() != Some("inbox") {
            let text = "Rules are supported only for the Inbox folder.";
            return Err(Refusal::new(400, "ErrorInvalidRequest", text));
        }
        let junk = folder_id(mailbox.guid, mailbox.well_known("junkemail"));
        let rule = json!({
            "id": "AQAAAJ5dZqA=",
            "displayName": "Fairground offers",
            "sequence": 1,
            "isEnabled": true,
            "hasError": false,
            "isReadOnly": false,
            "conditions": {"senderContains": ["fairground-offers"]},
            "actions": {"moveToFolder": junk, "stopProcessingRules": true},
        });
        let context = format!(
            "{}/v1.0/$metadata#{}/mailFolders('inbox')/messageRules",
            visit.call.root,
            visit.owner()
        );
        let mut all = vec![rule];
        all.extend(mailbox.rules.iter().cloned());
        Ok(Answer::json(
            json!({"@odata.context": context, "value": all}),
        ))
    })
}

fn allow(visit: &Visit<'_>) -> Result<(), Refusal> {
    if *visit.method() != Method::GET {
        return Err(Refusal::no_method());
    }
    let scope = visit.has_scope(&["MailboxSettings.Read", "MailboxSettings.ReadWrite"]);
    if scope && visit.is_own() {
        Ok(())
    } else {
        Err(Refusal::denied())
    }
}
