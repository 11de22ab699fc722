//! A person with a browser, and an app that signs them in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use mailroom_sandbox::{Options, Sandbox};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use url::Url;

pub(crate) const REDIRECT: &str = "http://localhost:50123/";
pub(crate) const VERIFIER: &str = "a-verifier-of-this-test-that-is-long-enough-to-pass";
pub(crate) const SCOPE: &str =
    "openid profile email offline_access User.Read Mail.ReadWrite Mail.Send";

/// A sandbox with these scenarios on.
pub(crate) async fn sandbox(scenarios: &[&str]) -> Sandbox {
    Sandbox::start(Options {
        scenarios: scenarios.iter().map(|s| (*s).to_owned()).collect(),
        ..Options::default()
    })
    .await
    .unwrap()
}

/// A browser that stops where it would leave the practice tenant.
#[derive(Default)]
pub(crate) struct Browser {
    pub(crate) cookie: Option<String>,
    pub(crate) page: String,
    pub(crate) status: u16,
    pub(crate) location: Option<Url>,
    at: Option<Url>,
}

/// A client that follows nothing and trusts nobody: loading the system's roots takes longer than most tests.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .tls_certs_only([])
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

impl Browser {
    pub(crate) async fn open(&mut self, url: &Url) {
        self.go(http().get(url.clone()).header("accept", "text/html"), url)
            .await;
    }

    async fn go(&mut self, mut request: reqwest::RequestBuilder, url: &Url) {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.send().await.unwrap();
        if let Some(set) = response.headers().get("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
        }
        self.status = response.status().as_u16();
        self.location = response
            .headers()
            .get("location")
            .map(|l| Url::parse(l.to_str().unwrap()).unwrap());
        self.at = Some(url.clone());
        self.page = response.text().await.unwrap();
    }

    /// Fills in fields and presses the button with this id or this `data-account`.
    pub(crate) async fn press(&mut self, button: &str, fields: &[(&str, &str)]) {
        let marks = [
            format!("id=\"{button}\""),
            format!("data-account=\"{button}\""),
        ];
        let form = self
            .page
            .split("<form ")
            .skip(1)
            .map(|f| f.split("</form>").next().unwrap())
            .find(|f| marks.iter().any(|m| f.contains(m)))
            .unwrap_or_else(|| panic!("no button {button} on {}", self.page));
        let mut data = hidden(form);
        for (name, value) in fields {
            data.insert((*name).to_owned(), (*value).to_owned());
        }
        let pressed = form
            .split("<button ")
            .skip(1)
            .find(|b| marks.iter().any(|m| b.contains(m)))
            .unwrap();
        if let (Some(name), Some(value)) = (attribute(pressed, "name"), attribute(pressed, "value"))
        {
            data.insert(name, value);
        }
        let url = self
            .at
            .clone()
            .unwrap()
            .join(&attribute(form, "action").unwrap())
            .unwrap();
        self.go(http().post(url.clone()).form(&data), &url).await;
    }

    pub(crate) fn shows(&self, text: &str) -> bool {
        self.page.contains(text)
    }

    /// The AADSTS number on the page.
    pub(crate) fn code_on_page(&self) -> u32 {
        assert!(
            self.location.is_none(),
            "left the page for {:?}",
            self.location
        );
        attribute(
            self.page.split("id=\"error\"").nth(1).unwrap_or(&self.page),
            "data-code",
        )
        .unwrap_or_else(|| panic!("no error on {}", self.page))
        .parse()
        .unwrap()
    }

    /// The parameters the app gets, by query.
    pub(crate) fn answer(&self) -> HashMap<String, String> {
        let Some(location) = &self.location else {
            panic!("no redirect from {}", self.page);
        };
        location.query_pairs().into_owned().collect()
    }

    /// Types name and password where asked, and accepts where asked.
    pub(crate) async fn sign_in(&mut self, url: &Url, login: &str) -> HashMap<String, String> {
        self.open(url).await;
        if self.shows("id=\"next\"") {
            self.press("next", &[("loginfmt", login)]).await;
        }
        if self.shows("id=\"signin\"") {
            self.press("signin", &[("passwd", &password(login))]).await;
        }
        if self.shows("id=\"accept\"") {
            self.press("accept", &[]).await;
        }
        self.answer()
    }
}

/// The hidden fields of a form.
pub(crate) fn hidden(form: &str) -> HashMap<String, String> {
    form.split("<input type=\"hidden\" ")
        .skip(1)
        .map(|i| {
            (
                attribute(i, "name").unwrap(),
                attribute(i, "value").unwrap(),
            )
        })
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split('>').next()?;
    let rest = tag.split(&format!("{name}=\"")).nth(1)?;
    let value = rest.split('"').next()?;
    Some(
        value
            .replace("&amp;", "&")
            .replace("&quot;", "\"")
            .replace("&#39;", "'"),
    )
}

/// The practice password of a login name.
pub(crate) fn password(login: &str) -> String {
    let name = login.split(['@', '.']).next().unwrap();
    let (first, rest) = name.split_at(1);
    format!("Practice-{}{rest}-1", first.to_uppercase())
}

/// An authorization request with good parameters; `changes` replace them, an empty value takes one away.
pub(crate) fn authorize(sandbox: &Sandbox, segment: &str, changes: &[(&str, &str)]) -> Url {
    let description = sandbox.description();
    let challenge = B64.encode(Sha256::digest(VERIFIER));
    let mut all: Vec<(&str, &str)> = vec![
        ("client_id", &description.client_id),
        ("response_type", "code"),
        ("redirect_uri", REDIRECT),
        ("scope", SCOPE),
        ("state", "a state"),
        ("nonce", "a nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        all.retain(|(n, _)| n != name);
        if !value.is_empty() {
            all.push((name, value));
        }
    }
    let url = format!("{}/{segment}/oauth2/v2.0/authorize", description.authority);
    Url::parse_with_params(&url, all).unwrap()
}

/// POSTs to the token endpoint; status and body.
pub(crate) async fn token(sandbox: &Sandbox, segment: &str, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!(
        "{}/{segment}/oauth2/v2.0/token",
        sandbox.description().authority
    );
    let response = http().post(url).form(form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Redeems a code as it should be done; `changes` as for [`authorize`].
pub(crate) async fn redeem(
    sandbox: &Sandbox,
    segment: &str,
    code: &str,
    changes: &[(&str, &str)],
) -> (u16, Value) {
    let client_id = sandbox.description().client_id.clone();
    let mut all = vec![
        ("client_id", client_id.as_str()),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    for (name, value) in changes {
        all.retain(|(n, _)| n != name);
        if !value.is_empty() {
            all.push((name, value));
        }
    }
    token(sandbox, segment, &all).await
}

/// Refreshes.
pub(crate) async fn refresh(sandbox: &Sandbox, token_text: &Value, scope: &str) -> (u16, Value) {
    let client_id = sandbox.description().client_id.clone();
    let mut all = vec![
        ("client_id", client_id.as_str()),
        ("grant_type", "refresh_token"),
        ("refresh_token", token_text.as_str().unwrap()),
    ];
    if !scope.is_empty() {
        all.push(("scope", scope));
    }
    token(sandbox, "organizations", &all).await
}

/// Signs an account in from a fresh browser and returns the token response.
pub(crate) async fn connected(sandbox: &Sandbox, login: &str) -> Value {
    let mut browser = Browser::default();
    let url = authorize(
        sandbox,
        "organizations",
        &[("login_hint", login), ("prompt", "login")],
    );
    let answer = browser.sign_in(&url, login).await;
    let (status, body) = redeem(sandbox, "organizations", &answer["code"], &[]).await;
    assert_eq!(status, 200, "{body}");
    body
}

/// The claims of a token, unchecked.
pub(crate) fn claims(token: &Value) -> Value {
    let part = token.as_str().unwrap().split('.').nth(1).unwrap();
    serde_json::from_slice(&B64.decode(part).unwrap()).unwrap()
}

/// Calls the test control.
pub(crate) async fn control(
    sandbox: &Sandbox,
    method: http::Method,
    path: &str,
    body: Value,
) -> Value {
    let url = format!("{}/_sandbox/{path}", sandbox.description().authority);
    let response = http()
        .request(method, url)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert!(response.status().is_success(), "{}", response.status());
    serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null)
}

/// Status of a call with this access token, and the challenge.
pub(crate) async fn user_info(sandbox: &Sandbox, access_token: &Value) -> (u16, Value, String) {
    let url = format!("{}/oidc/userinfo", sandbox.description().authority);
    let response = http()
        .get(url)
        .bearer_auth(access_token.as_str().unwrap())
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    let challenge = response
        .headers()
        .get("www-authenticate")
        .map_or(String::new(), |c| c.to_str().unwrap().to_owned());
    (status, response.json().await.unwrap(), challenge)
}
