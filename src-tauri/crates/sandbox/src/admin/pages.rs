//! The pages, plain and accessible: tables and forms, no script.

mod app;
mod exchange;
mod users;

use super::settings::{Page, SETTINGS, Setting};
use crate::entra::pages::esc;
use crate::scenarios::Scenario;
use crate::tenant::directory::{CONTOSO, User};
use crate::world::World;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header};

const STYLE: &str = concat!(
    include_str!("../entra/pages/style.css"),
    include_str!("admin.css")
);

/// A page for the administrator `user`, with a note on what was just done or refused.
pub(super) fn show(
    world: &World,
    page: Page,
    user: &User,
    note: Option<&str>,
    status: StatusCode,
) -> Response {
    let mut navigation = String::new();
    for other in Page::ALL {
        let current = if other == page {
            " aria-current=\"page\""
        } else {
            ""
        };
        navigation += &format!(
            "<li><a href=\"{}\"{current}>{}</a></li>",
            other.path(),
            esc(other.title())
        );
    }
    let note = note.map_or_else(String::new, |note| {
        let (class, role) = if status.is_success() {
            ("saved", "status")
        } else {
            ("error", "alert")
        };
        format!("<p class=\"{class}\" role=\"{role}\">{}</p>", esc(note))
    });
    let own = match page {
        Page::Requests => app::requests(world),
        Page::Application => app::application(world),
        Page::Registration => app::permissions(world),
        Page::Mailboxes => exchange::delegation(world),
        Page::MailApps => exchange::mail_apps(world),
        Page::Access => String::new(),
        Page::Users => users::accounts(world),
    };
    let title = esc(page.title());
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title><link rel=\"icon\" href=\"data:,\"><style>{STYLE}</style></head><body><p class=\"practice\" role=\"note\"><strong>Practice administration.</strong> This is the sandbox of Mailroom on this computer, not Microsoft.</p><main><p class=\"org\">Contoso · {who}</p><nav aria-label=\"Administration\"><ul>{navigation}</ul></nav><h1>{title}</h1>{note}{own}{switches}</main></body></html>",
        who = esc(user.upn),
        switches = switches(world, page),
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("referrer-policy"), "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A form that is one button. `label` says to screen readers what `text` stands for.
fn button(
    page: Page,
    action: &str,
    id: &str,
    text: &str,
    label: &str,
    fields: &[(&str, &str)],
) -> String {
    let mut hidden = String::new();
    for (name, value) in fields {
        hidden += &format!(
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            esc(name),
            esc(value)
        );
    }
    format!(
        "<form method=\"post\" action=\"{}/{action}\">{hidden}<button id=\"{}\" aria-label=\"{}\">{}</button></form>",
        page.path(),
        esc(id),
        esc(label),
        esc(text)
    )
}

/// A table with a caption. `rows` is HTML.
fn table(caption: &str, heads: &[&str], rows: &str) -> String {
    let heads: String = heads
        .iter()
        .map(|head| format!("<th scope=\"col\">{}</th>", esc(head)))
        .collect();
    format!(
        "<table><caption>{}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>",
        esc(caption)
    )
}

/// Is the switch in its broken position?
fn broken(world: &World, setting: &Setting) -> bool {
    if setting.scenario == Scenario::UserNotAssigned {
        return world.directory.lock().decisions.assignment_required;
    }
    world.has(setting.scenario)
}

fn switches(world: &World, page: Page) -> String {
    let mut rows = String::new();
    for setting in SETTINGS.iter().filter(|s| s.page == page) {
        let (is, other, to) = if broken(world, setting) {
            (setting.broken, setting.healthy, "healthy")
        } else {
            (setting.healthy, setting.broken, "broken")
        };
        let name = setting.scenario.name();
        let change = button(
            page,
            "set",
            name,
            &format!("Change to “{other}”"),
            &format!("{}: change to {other}", setting.label),
            &[("setting", name), ("to", to)],
        );
        rows += &format!(
            "<tr><th scope=\"row\">{}</th><td data-setting=\"{name}\"><strong>{}</strong></td><td>{change}</td></tr>",
            esc(setting.label),
            esc(is)
        );
    }
    if rows.is_empty() {
        return rows;
    }
    table("Settings", &["Setting", "Now", "Change"], &rows)
}

/// The accounts of Contoso.
fn people(world: &World) -> Vec<User> {
    world.directory.lock().users(CONTOSO).cloned().collect()
}
