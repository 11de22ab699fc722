//! Consent: "Permissions requested", "Need admin approval", "Approval required".

use super::{esc, form, page};
use crate::entra::errors::Trace;
use crate::entra::scopes::PERMISSIONS;
use crate::entra::sessions::Flow;
use crate::tenant::directory::{Registration, User, UserKind};
use axum::response::Response;
use http::StatusCode;

/// Each permission in words. `openid` and `profile` come with reading the profile and are not listed beside it.
fn words(needed: &[(String, String)]) -> String {
    let reads_profile = needed.iter().any(|(_, name)| name == "User.Read");
    let mut list = String::new();
    for p in PERMISSIONS {
        let asked = needed
            .iter()
            .any(|(resource, name)| resource == p.resource && name == p.name);
        let implied = reads_profile && matches!(p.name, "openid" | "profile");
        if asked && !implied {
            list += &format!(
                "<li data-scope=\"{}\">{}<p>{}</p></li>",
                esc(p.name),
                esc(p.title),
                esc(p.words)
            );
        }
    }
    format!("<ul class=\"scopes\">{list}</ul>")
}

fn app_line(app: &Registration) -> String {
    format!(
        "<p><strong>{}</strong><br>{}</p>",
        esc(app.name),
        esc(app.publisher)
    )
}

fn who(user: &User) -> String {
    format!(
        "<p class=\"org\">Contoso</p><p class=\"who\">{}</p>",
        esc(user.upn)
    )
}

fn back(flow: &Flow, id: &str, label: &str) -> String {
    form(
        flow,
        "back",
        &format!("<button id=\"{id}\">{label}</button>"),
    )
}

/// "Permissions requested". An administrator can consent for everybody with a tick.
pub(in crate::entra) fn consent(
    flow: &Flow,
    app: &Registration,
    user: &User,
    needed: &[(String, String)],
    trace: &Trace,
) -> Response {
    let everybody = if user.kind == UserKind::Admin {
        "<p><input type=\"checkbox\" id=\"everybody\" name=\"everybody\" value=\"1\" form=\"form-accept\"> <label for=\"everybody\" style=\"display:inline\">Consent on behalf of your organization</label></p>"
    } else {
        ""
    };
    let accept = form(
        flow,
        "accept",
        "<button class=\"first\" id=\"accept\">Accept</button>",
    );
    let body = format!(
        "{}<h1>Permissions requested</h1>{}<p>This app would like to:</p>{}{everybody}<p>Accepting these permissions means that you allow this app to use your data as specified in their terms of service and privacy statement.</p><div class=\"actions\">{}{accept}</div>",
        who(user),
        app_line(app),
        words(needed),
        back(flow, "cancel", "Cancel"),
    );
    page(StatusCode::OK, "Permissions requested", &body, trace)
}

/// "Permissions requested: review for your organization".
pub(in crate::entra) fn admin_consent(
    flow: &Flow,
    app: &Registration,
    user: &User,
    needed: &[(String, String)],
    trace: &Trace,
) -> Response {
    let accept = form(
        flow,
        "accept",
        "<button class=\"first\" id=\"accept\">Accept</button>",
    );
    let body = format!(
        "{}<h1>Permissions requested<br>Review for your organization</h1>{}<p>This app would like to:</p>{}<p>If you accept, this app will get access to the specified resources for all users in your organization. No one else will be prompted to review these permissions.</p><div class=\"actions\">{}{accept}</div>",
        who(user),
        app_line(app),
        words(needed),
        back(flow, "cancel", "Cancel"),
    );
    page(StatusCode::OK, "Permissions requested", &body, trace)
}

/// "Need admin approval" (AADSTS90094, 90093 where a policy forbids consent, 900941 where the app is risky).
pub(in crate::entra) fn need_admin(
    flow: &Flow,
    app: &Registration,
    user: &User,
    code: u32,
    trace: &Trace,
) -> Response {
    let other = form(
        flow,
        "other",
        "<button class=\"link\" id=\"other-account\">Have an admin account? Sign in with that account</button>",
    );
    let leave = form(
        flow,
        "back",
        "<button class=\"link\" id=\"cancel\">Return to the application without granting consent</button>",
    );
    let body = format!(
        "{}<h1>Need admin approval</h1>{}<p>{} needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.</p>{other}{leave}<dl><dt>Error Code</dt><dd id=\"error\" data-code=\"{code}\">AADSTS{code}</dd><dt>Correlation Id</dt><dd>{}</dd></dl>",
        who(user),
        app_line(app),
        esc(app.name),
        esc(&trace.correlation_id),
    );
    page(StatusCode::OK, "Need admin approval", &body, trace)
}

/// "Approval required" (AADSTS90095): the administrator can be asked, with a reason.
pub(in crate::entra) fn ask_admin(
    flow: &Flow,
    app: &Registration,
    user: &User,
    needed: &[(String, String)],
    trace: &Trace,
) -> Response {
    let request = form(
        flow,
        "request",
        "<label for=\"reason\">Enter justification for requesting this app</label><textarea id=\"reason\" name=\"reason\" rows=\"3\" required autofocus></textarea><div class=\"actions\"><button class=\"first\" id=\"request-approval\">Request approval</button></div>",
    );
    let body = format!(
        "{}<h1>Approval required</h1>{}<p>This app requires your admin's approval to:</p>{}{request}<div class=\"actions\">{}</div><dl><dt>Error Code</dt><dd id=\"error\" data-code=\"90095\">AADSTS90095</dd></dl>",
        who(user),
        app_line(app),
        words(needed),
        back(flow, "cancel", "Cancel"),
    );
    page(StatusCode::OK, "Approval required", &body, trace)
}

/// "Request sent". Going back to the app then arrives there as a refusal (AADSTS65004).
pub(in crate::entra) fn request_sent(
    flow: &Flow,
    app: &Registration,
    user: &User,
    trace: &Trace,
) -> Response {
    let body = format!(
        "{}<h1>Request sent</h1><p>Your admin will review the request for {} and you will be notified by email.</p><div class=\"actions\">{}</div>",
        who(user),
        esc(app.name),
        back(flow, "back-to-app", "Back to app"),
    );
    page(StatusCode::OK, "Request sent", &body, trace)
}
