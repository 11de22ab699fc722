//! The app: requests for approval, the enterprise application, the registration.

use super::{button, people, table};
use crate::admin::settings::Page;
use crate::entra::pages::esc;
use crate::tenant::directory::{CONTOSO, MAILROOM, RequestState, UserKind};
use crate::world::World;

/// "Admin consent requests".
pub(super) fn requests(world: &World) -> String {
    let directory = world.directory.lock();
    let mut rows = String::new();
    for request in directory.decisions.requests.iter().rev() {
        let who = directory.find(&request.user).map_or("", |u| u.upn);
        let app = directory
            .registration(&request.client_id)
            .map_or("", |a| a.name);
        let id = request.id.to_string();
        let decision = match request.state {
            RequestState::Approved => "Approved".to_owned(),
            RequestState::Denied => "Denied".to_owned(),
            RequestState::Waiting => [("approve-request", "Approve"), ("deny-request", "Deny")]
                .map(|(action, text)| {
                    let label = format!("{text} the request of {who}");
                    let page = Page::Requests;
                    button(
                        page,
                        action,
                        &format!("{action}-{id}"),
                        text,
                        &label,
                        &[("id", &id)],
                    )
                })
                .concat(),
        };
        let scopes: Vec<&str> = request.scopes.iter().map(|(_, s)| s.as_str()).collect();
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{}<br>{}</td><td><blockquote>{}</blockquote>{}</td><td>{decision}</td></tr>",
            esc(app),
            esc(who),
            request.at.strftime("%Y-%m-%d %H:%M UTC"),
            esc(&request.reason),
            esc(&scopes.join(", ")),
        );
    }
    if rows.is_empty() {
        return "<p>No requests.</p>".to_owned();
    }
    let heads = ["App", "Requested by", "Reason and permissions", "Decision"];
    table("Requests, the newest first", &heads, &rows)
}

/// "Permissions" and "Users and groups" of the enterprise application.
pub(super) fn application(world: &World) -> String {
    let page = Page::Application;
    let everybody = people(world);
    let directory = world.directory.lock();
    let mut rows = String::new();
    for consent in directory.consents.iter() {
        if consent.client_id != MAILROOM || consent.tenant != CONTOSO {
            continue;
        }
        let by = match &consent.user {
            None => "Everybody, by an administrator",
            Some(oid) => directory.find(oid).map_or("", |u| u.upn),
        };
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td></tr>",
            esc(&consent.scope),
            esc(&consent.resource),
            esc(by)
        );
    }
    if rows.is_empty() {
        rows = "<tr><td colspan=\"3\">Nothing is granted.</td></tr>".to_owned();
    }
    let heads = ["Permission", "API", "Granted for"];
    let permissions = table("Permissions", &heads, &rows);
    let consent = button(
        page,
        "grant-consent",
        "grant-consent",
        "Grant admin consent for Contoso",
        "Grant admin consent for Contoso",
        &[],
    ) + &button(
        page,
        "revoke-consent",
        "revoke-consent",
        "Revoke all permissions",
        "Revoke all permissions",
        &[],
    );
    let mut rows = String::new();
    for user in everybody.iter().filter(|u| u.kind != UserKind::Shared) {
        let assigned = directory.decisions.assigned.contains(user.oid);
        let (now, action, text) = if assigned {
            ("Assigned", "unassign", "Remove")
        } else {
            ("Not assigned", "assign", "Assign")
        };
        let id = format!("{action}-{}", user.upn);
        let label = format!("{text} {}", user.upn);
        let change = button(page, action, &id, text, &label, &[("user", user.oid)]);
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{now}</td><td>{change}</td></tr>",
            esc(user.upn)
        );
    }
    let assignment = table("Users and groups", &["Account", "Now", "Change"], &rows);
    format!("{permissions}<div class=\"row\">{consent}</div>{assignment}")
}

/// "API permissions" of the registration.
pub(super) fn permissions(world: &World) -> String {
    let page = Page::Registration;
    let directory = world.directory.lock();
    let mut rows = String::new();
    for (resource, name) in directory
        .registration(MAILROOM)
        .into_iter()
        .flat_map(|app| app.permissions.iter())
    {
        let taken = (*resource).to_owned();
        let removed = directory
            .decisions
            .removed
            .contains(&(taken, (*name).to_owned()));
        let (now, action, text) = if removed {
            ("Not listed", "add-permission", "Add")
        } else {
            ("Listed", "remove-permission", "Remove")
        };
        let id = format!("{action}-{name}");
        let label = format!("{text} {name}");
        let change = button(page, action, &id, text, &label, &[("scope", name)]);
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{now}</td><td>{change}</td></tr>",
            esc(name),
            esc(resource)
        );
    }
    let heads = ["Permission", "API", "Now", "Change"];
    format!(
        "<p>Application (client) ID <code>{MAILROOM}</code></p>{}",
        table("API permissions", &heads, &rows)
    )
}
