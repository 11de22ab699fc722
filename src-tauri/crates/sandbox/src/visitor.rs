//! A person with a browser, for places that have neither: walks the practice tenant's sign-in pages, fills in
//! their forms and keeps cookies between visits. Made for the terminal's practice run and for tests.

use reqwest::Url;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use std::collections::BTreeMap;
use tokio::sync::Mutex;

/// Pages that a visit may take.
const MOST_PAGES: usize = 15;

/// Somebody who signs in.
pub struct Visitor {
    login: String,
    password: String,
    /// Presses "Cancel" on the consent page instead of "Accept".
    pub declines: bool,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Visitor {
    /// Somebody with these credentials and an empty browser.
    pub fn new(login: &str, password: &str) -> Self {
        Self {
            login: login.to_owned(),
            password: password.to_owned(),
            declines: false,
            cookies: Mutex::default(),
        }
    }

    /// Opens `url` and goes on until a page asks for nothing more. Returns that page's HTML.
    ///
    /// # Errors
    /// The line dropped, a form leads nowhere, or the pages go round in circles; in a sentence.
    pub async fn visit(&self, url: &str) -> Result<String, String> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| error.to_string())?;
        let mut cookies = self.cookies.lock().await;
        let mut url = Url::parse(url).map_err(|error| error.to_string())?;
        let mut form: Option<Vec<(String, String)>> = None;
        for _ in 0..MOST_PAGES {
            let request = match &form {
                Some(fields) => http.post(url.clone()).form(fields),
                None => http.get(url.clone()),
            };
            let sent: Vec<String> = cookies
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let answer = request
                .header(COOKIE, sent.join("; "))
                .send()
                .await
                .map_err(|error| error.to_string())?;
            remember(&mut cookies, answer.headers());
            let location = answer
                .headers()
                .get(LOCATION)
                .and_then(|value| value.to_str().ok());
            if let Some(location) = location {
                url = url.join(location).map_err(|error| error.to_string())?;
                form = None;
                continue;
            }
            let page = answer.text().await.map_err(|error| error.to_string())?;
            let Some((action, fields)) = self.fill_in(&page) else {
                return Ok(page);
            };
            url = url.join(&action).map_err(|error| error.to_string())?;
            form = Some(fields);
        }
        Err("the sign-in pages go round in circles".to_owned())
    }

    /// The page's form that leads on, filled in; nothing where no form does.
    fn fill_in(&self, page: &str) -> Option<(String, Vec<(String, String)>)> {
        let forms: Vec<&str> = page
            .split("<form")
            .skip(1)
            .filter_map(|rest| rest.split("</form>").next())
            .collect();
        let with = |id: &str| {
            let id = format!("id=\"{id}\"");
            forms.iter().copied().find(|form| form.contains(&id))
        };
        // The password is asked for, but of somebody else: the link that started this named them.
        let somebody_else = with("signin").is_some() && !page.contains(&self.login);
        let form = if somebody_else {
            with("other-account")
        } else if self.declines {
            with("cancel").or_else(|| forms.first().copied())
        } else {
            let leads_on = |form: &&str| {
                !form.contains("id=\"cancel\"") && !form.contains("id=\"other-account\"")
            };
            forms
                .iter()
                .copied()
                .find(leads_on)
                .or_else(|| with("cancel"))
        }?;
        let action = attribute(form.split('>').next()?, "action")?;
        let mut fields: Vec<(String, String)> = form
            .split("<input")
            .skip(1)
            .filter_map(|input| {
                let input = input.split('>').next()?;
                let name = attribute(input, "name")?;
                let value = match name.as_str() {
                    "loginfmt" => self.login.clone(),
                    "passwd" => self.password.clone(),
                    "otc" => practice_code(page)?,
                    _ => attribute(input, "value").unwrap_or_default(),
                };
                Some((name, value))
            })
            .collect();
        // An account tile is a button with a name of its own.
        if let Some(tile) = form
            .split("<button")
            .skip(1)
            .filter_map(|tile| tile.split('>').next())
            .find(|tile| tile.contains("data-account"))
        {
            fields.push((attribute(tile, "name")?, attribute(tile, "value")?));
        }
        Some((action, fields))
    }
}

fn remember(cookies: &mut BTreeMap<String, String>, headers: &HeaderMap) {
    for cookie in headers.get_all(SET_COOKIE) {
        let pair = cookie
            .to_str()
            .ok()
            .and_then(|text| text.split(';').next())
            .and_then(|pair| pair.split_once('='));
        if let Some((name, value)) = pair {
            cookies.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}

fn practice_code(page: &str) -> Option<String> {
    let rest = page.split("id=\"practice-code\">").nth(1)?;
    rest.split('<').next().map(str::to_owned)
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag
        .split(&format!(" {name}=\""))
        .nth(1)?
        .split('"')
        .next()?;
    let plain = [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ];
    Some(
        plain
            .into_iter()
            .fold(value.to_owned(), |text, (from, to)| text.replace(from, to)),
    )
}
