//! `/me` and `/users/{id}`: who somebody is.

use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::call::Call;
use super::query::Options;
use crate::entra::tokens::Claims;
use crate::tenant::directory::User;
use crate::world::World;

const BY_DEFAULT: [&str; 11] = [
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
];
const WHEN_SELECTED: [&str; 8] = [
    "proxyAddresses",
    "otherMails",
    "accountEnabled",
    "userType",
    "mailNickname",
    "department",
    "companyName",
    "imAddresses",
];
/// What `User.ReadBasic.All` shows of others.
const BASIC: [&str; 6] = [
    "displayName",
    "givenName",
    "mail",
    "surname",
    "userPrincipalName",
    "id",
];

/// The user resource ("Get a user").
pub(super) fn profile(
    world: &Arc<World>,
    call: &Call,
    claims: &Claims,
    user: &User,
) -> Result<Answer, Refusal> {
    if call.method != Method::GET {
        return Err(Refusal::no_method());
    }
    let all: Vec<&str> = BY_DEFAULT.into_iter().chain(WHEN_SELECTED).collect();
    let options = Options::read(call, &["select"], "microsoft.graph.user", &all)?;
    let has = |wanted: &[&str]| wanted.iter().any(|scope| claims.scp.contains(*scope));
    let everything = has(&["User.Read.All", "User.ReadWrite.All", "Directory.Read.All"]);
    let own = user.oid == claims.oid && has(&["User.Read", "User.ReadWrite"]);
    let basic = has(&["User.ReadBasic.All"]);
    if !everything && !own && !basic {
        let text = "Insufficient privileges to complete the operation.";
        return Err(Refusal::new(403, "Authorization_RequestDenied", text));
    }
    let default: Vec<String> = BY_DEFAULT.iter().map(|name| (*name).to_owned()).collect();
    let chosen = options.select.as_ref().unwrap_or(&default);
    let list = options
        .select
        .as_ref()
        .map_or(String::new(), |names| format!("({})", names.join(",")));
    let mut body = Map::new();
    let context = format!("{}/v1.0/$metadata#users{list}/$entity", call.root);
    body.insert("@odata.context".into(), context.into());
    let has_mailbox = world.mailboxes.lock().get(user.mail).is_some();
    for name in chosen {
        if everything || own || BASIC.contains(&name.as_str()) {
            body.insert(name.clone(), property(user, name, has_mailbox));
        }
    }
    Ok(Answer::json(Value::Object(body)))
}

fn property(user: &User, name: &str, has_mailbox: bool) -> Value {
    let text = |value: &str| {
        if value.is_empty() {
            Value::Null
        } else {
            value.into()
        }
    };
    match name {
        "id" => user.oid.into(),
        "displayName" => user.name.into(),
        "givenName" => text(user.given_name),
        "surname" => text(user.surname),
        "jobTitle" => text(user.job_title),
        "mail" if has_mailbox => user.mail.into(),
        "userPrincipalName" => user.upn.into(),
        "preferredLanguage" => text(user.language),
        "proxyAddresses" if has_mailbox => json!(user.proxy_addresses()),
        "businessPhones" | "proxyAddresses" | "otherMails" | "imAddresses" => json!([]),
        "accountEnabled" => (!user.password.is_empty()).into(),
        "userType" => "Member".into(),
        "mailNickname" => text(user.mail.split('@').next().unwrap_or_default()),
        "companyName" => "Contoso".into(),
        _ => Value::Null,
    }
}
