//! Account, password, second factor.

use super::{esc, form, page, wrong};
use crate::entra::errors::Trace;
use crate::entra::sessions::Flow;
use crate::tenant::directory::User;
use axum::response::Response;
use http::StatusCode;

/// "Pick an account": those that are signed in in this browser.
pub(in crate::entra) fn picker(flow: &Flow, accounts: &[&User], trace: &Trace) -> Response {
    let mut tiles = String::new();
    for user in accounts {
        tiles += &format!(
            "<li><button name=\"account\" value=\"{upn}\" data-account=\"{mail}\">{name}<small>{upn}</small><small>Signed in</small></button></li>",
            upn = esc(user.upn),
            mail = esc(user.mail),
            name = esc(user.name),
        );
    }
    let pick = form(flow, "pick", &format!("<ul class=\"tiles\">{tiles}</ul>"));
    let other = form(
        flow,
        "other",
        "<div class=\"tiles\"><button id=\"other-account\">Use another account</button></div>",
    );
    let body = format!("<p class=\"org\">Contoso</p><h1>Pick an account</h1>{pick}{other}");
    page(StatusCode::OK, "Pick an account", &body, trace)
}

/// "Sign in": the login name. The practice accounts are listed below, folded.
pub(in crate::entra) fn name(
    flow: &Flow,
    hint: Option<&str>,
    error: Option<&str>,
    practice: &[&User],
    trace: &Trace,
) -> Response {
    let described = if error.is_some() {
        " aria-invalid=\"true\" aria-describedby=\"error\""
    } else {
        ""
    };
    let form = form(
        flow,
        "name",
        &format!(
            "{}<label for=\"loginfmt\">Email, phone, or Skype</label><input id=\"loginfmt\" name=\"loginfmt\" type=\"text\" inputmode=\"email\" autocapitalize=\"none\" spellcheck=\"false\" value=\"{}\" autofocus{described}><div class=\"actions\"><button class=\"first\" id=\"next\">Next</button></div>",
            wrong(error),
            esc(hint.unwrap_or(""))
        ),
    );
    let mut accounts = String::new();
    for user in practice.iter().filter(|u| !u.password.is_empty()) {
        accounts += &format!(
            "<dt>{}</dt><dd><code>{}</code></dd>",
            esc(user.upn),
            esc(user.password)
        );
    }
    let body = format!(
        "<p class=\"org\">Contoso</p><h1>Sign in</h1>{form}<details><summary>Practice accounts and passwords</summary><dl>{accounts}</dl></details>"
    );
    page(StatusCode::OK, "Sign in to your account", &body, trace)
}

/// "Enter password".
pub(in crate::entra) fn password(
    flow: &Flow,
    user: &User,
    error: Option<&str>,
    trace: &Trace,
) -> Response {
    let described = if error.is_some() {
        " aria-invalid=\"true\" aria-describedby=\"error\""
    } else {
        ""
    };
    let form_password = form(
        flow,
        "password",
        &format!(
            "{}<label for=\"passwd\">Password</label><input id=\"passwd\" name=\"passwd\" type=\"password\" autocomplete=\"off\" autofocus{described}><div class=\"actions\"><button class=\"first\" id=\"signin\">Sign in</button></div>",
            wrong(error)
        ),
    );
    let other = form(
        flow,
        "other",
        "<button class=\"link\" id=\"other-account\">Sign in with another account</button>",
    );
    let hint = if user.password.is_empty() {
        "This practice account cannot sign in: it is a shared mailbox.".to_owned()
    } else {
        format!(
            "The password of this practice account is <code>{}</code>.",
            esc(user.password)
        )
    };
    let body = format!(
        "<p class=\"org\">Contoso</p><p class=\"who\">{}</p><h1>Enter password</h1>{form_password}{other}<details><summary>Practice password</summary><p>{hint}</p></details>",
        esc(user.upn)
    );
    page(StatusCode::OK, "Sign in to your account", &body, trace)
}

/// "Enter code". A real tenant sends it to a phone; here the page shows it.
pub(in crate::entra) fn second_factor(
    flow: &Flow,
    upn: &str,
    code: &str,
    error: Option<&str>,
    trace: &Trace,
) -> Response {
    let form = form(
        flow,
        "otc",
        &format!(
            "{}<p>Enter the code that we texted to +XX XXXXXXX80.</p><p role=\"note\">Practice: the text message says <strong class=\"code\" id=\"practice-code\">{code}</strong></p><label for=\"otc\">Code</label><input id=\"otc\" name=\"otc\" type=\"text\" inputmode=\"numeric\" autocomplete=\"one-time-code\" autofocus><div class=\"actions\"><button class=\"first\" id=\"verify\">Verify</button></div>",
            wrong(error)
        ),
    );
    let body = format!(
        "<p class=\"org\">Contoso</p><p class=\"who\">{}</p><h1>Enter code</h1>{form}",
        esc(upn)
    );
    page(StatusCode::OK, "Sign in to your account", &body, trace)
}
