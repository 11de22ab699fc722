//! The whole main job in a terminal, with the practice tenant: sign-in, import of the newest 300 mails, new mail,
//! status table. Nothing of it is kept.

use super::{addresses, connect, sandbox};
use crate::args::Common;
use crate::{Failure, print, session};
use mailroom_core::api::view::{
    CloudInput, ConnectChoices, ConnectRequest, RegistrationInput, SandboxUser, SandboxView,
};
use mailroom_core::app::desktop::Desktop;
use mailroom_core::app::places;
use mailroom_sandbox::{Description, Options, Sandbox};
use reqwest::Url;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The mailbox that is connected.
const MAILBOX: &str = "support@contoso.example";
/// Mails to import.
const NEWEST: u32 = 300;
/// Pages that a sign-in may take.
const MOST_PAGES: usize = 12;

/// `practice`
pub(crate) async fn run(common: &Common) -> Result<(), Failure> {
    let folder = tempfile::tempdir().map_err(|error| Failure::Other(error.to_string()))?;
    let tenant = Sandbox::start(Options::default())
        .await
        .map_err(sandbox::failure)?;
    let description = tenant.description().clone();
    print::note(&format!(
        "The practice tenant Contoso runs at {}.",
        description.authority
    ));
    print::note(&format!(
        "Signing in as {MAILBOX} on its sign-in pages, connecting, importing the newest {NEWEST} mails."
    ));
    // The key lives as long as the folder: this run.
    let secrets = places::key_file(
        folder.path(),
        SecretString::from(description.client_id.clone()),
    );
    let desktop = Arc::new(Visitor {
        description: description.clone(),
    });
    let app = session::open_with(
        common,
        folder.path().to_owned(),
        Arc::new(secrets),
        desktop,
        true,
    )
    .await?;
    app.set_sandbox(Some(view(&description)));
    let request = ConnectRequest {
        address: MAILBOX.to_owned(),
        registration: Some(RegistrationInput {
            client_id: description.client_id.clone(),
            tenant: description.tenant.clone(),
            cloud: CloudInput::Custom {
                authority: description.authority.clone(),
                graph_url: description.graph_url.clone(),
            },
        }),
        private_window: false,
        language: session::language(common),
    };
    let choices = ConnectChoices {
        brand: "Contoso".to_owned(),
        import_newest: Some(NEWEST),
    };
    let connected = connect::run(&app, common, request, choices).await;
    session::close(&app).await;
    tenant.stop().await;
    let connected = connected?;
    addresses::show(common, std::slice::from_ref(&connected));
    let import = connected.import.as_ref();
    let whole = import.is_some_and(|import| {
        import.pending == 0 && import.totals.imported + import.totals.duplicate == NEWEST
    });
    if whole {
        Ok(())
    } else {
        Err(Failure::Findings)
    }
}

fn view(description: &Description) -> SandboxView {
    SandboxView {
        authority: description.authority.clone(),
        graph_url: description.graph_url.clone(),
        client_id: description.client_id.clone(),
        tenant: description.tenant.clone(),
        users: description
            .users
            .iter()
            .map(|user| SandboxUser {
                address: user.address.clone(),
                password: user.password.clone(),
                name: user.name.clone(),
            })
            .collect(),
        scenarios: description.scenarios.clone(),
    }
}

/// In place of a browser and a person: fills in the practice tenant's sign-in forms. It speaks to the practice
/// tenant and to the waiting sign-in only.
struct Visitor {
    description: Description,
}

impl Desktop for Visitor {
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        _private_window: bool,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            let url = Url::parse(url).map_err(|error| error.to_string())?;
            let password = self
                .description
                .users
                .iter()
                .find(|user| user.address == MAILBOX)
                .map(|user| user.password.clone());
            let visit = Visit {
                password: password.unwrap_or_default(),
                cookies: BTreeMap::new(),
            };
            tokio::spawn(async move {
                if let Err(reason) = visit.walk(url).await {
                    print::note(&format!("The practice sign-in stopped: {reason}"));
                }
            });
            Ok(())
        })
    }
}

struct Visit {
    password: String,
    cookies: BTreeMap<String, String>,
}

impl Visit {
    async fn walk(mut self, mut url: Url) -> Result<(), String> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        let mut form: Option<Vec<(String, String)>> = None;
        for _ in 0..MOST_PAGES {
            let cookies = self
                .cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join("; ");
            let request = match &form {
                Some(fields) => http.post(url.clone()).form(fields),
                None => http.get(url.clone()),
            };
            let answer = request
                .header(COOKIE, cookies)
                .send()
                .await
                .map_err(|error| error.to_string())?;
            self.remember(answer.headers());
            if let Some(location) = answer
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok())
            {
                url = url.join(location).map_err(|error| error.to_string())?;
                form = None;
                continue;
            }
            let page = answer.text().await.map_err(|error| error.to_string())?;
            let Some((action, fields)) = self.fill_in(&page) else {
                return Ok(());
            };
            url = url.join(&action).map_err(|error| error.to_string())?;
            form = Some(fields);
        }
        Err("too many pages".into())
    }

    fn remember(&mut self, headers: &HeaderMap) {
        for cookie in headers.get_all(SET_COOKIE) {
            let pair = cookie
                .to_str()
                .ok()
                .and_then(|text| text.split(';').next())
                .and_then(|pair| pair.split_once('='));
            if let Some((name, value)) = pair {
                self.cookies
                    .insert(name.trim().to_owned(), value.trim().to_owned());
            }
        }
    }

    /// The first form of the page that goes on (not the one that cancels), filled in; nothing on the last page.
    fn fill_in(&self, page: &str) -> Option<(String, Vec<(String, String)>)> {
        let forms = page
            .split("<form")
            .skip(1)
            .map(|rest| rest.split("</form>").next().unwrap_or(rest));
        let form = forms
            .into_iter()
            .find(|form| !form.contains("id=\"cancel\"") || form.contains("id=\"accept\""))?;
        let head = form.split('>').next()?;
        let action = attribute(head, "action")?;
        let fields = form
            .split("<input")
            .skip(1)
            .filter_map(|input| {
                let input = input.split('>').next()?;
                let name = attribute(input, "name")?;
                let value = match name.as_str() {
                    "loginfmt" => MAILBOX.to_owned(),
                    "passwd" => self.password.clone(),
                    _ => attribute(input, "value").unwrap_or_default(),
                };
                Some((name, value))
            })
            .collect();
        Some((action, fields))
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
    let value = rest.split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}
