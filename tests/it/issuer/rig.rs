//! A certified OpenID provider in a process of its own, and somebody who walks its pages.

use mailroom_core::app::desktop::Desktop;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

/// What the mail server calls itself to the provider (RFC 8707).
pub const MAIL: &str = "https://mail.contoso.example";

pub struct Provider {
    pub issuer: String,
    child: Child,
}

impl Provider {
    pub fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/issuer");
        assert!(
            folder.join("node_modules").is_dir(),
            "the provider's packages are missing: run `cargo xtask setup`"
        );
        let mut child = Command::new("node")
            .arg("provider.mjs")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("node is installed");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap();
        Self {
            issuer: said["issuer"].as_str().unwrap().to_owned(),
            child,
        }
    }

    /// Where the mail server asks about tokens, with its own name and password.
    pub fn introspection(&self) -> String {
        let host = self.issuer.trim_start_matches("http://");
        format!("http://dovecot:of-the-mail-server@{host}/token/introspection")
    }

    /// Changes what provider.mjs lets be changed; gives what it counts.
    pub async fn set(&self, change: Value) -> Value {
        let answer = reqwest::Client::new()
            .post(format!("{}/_rig", self.issuer))
            .json(&change)
            .send()
            .await
            .unwrap();
        answer.json().await.unwrap()
    }

    pub async fn renewals(&self) -> u64 {
        self.set(json!({})).await["renewals"].as_u64().unwrap()
    }
}

impl Provider {
    /// It goes away.
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Who sits at the browser: signs in under a name and agrees, or goes back to the program.
pub struct Person(pub Mutex<Answer>);

#[derive(Clone, Copy)]
pub enum Answer {
    SignsInAs(&'static str),
    Cancels,
}

impl Desktop for Person {
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        _private_window: bool,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        let (answer, url) = (*self.0.lock().unwrap(), url.to_owned());
        Box::pin(async move {
            tokio::spawn(async move { visit(url, answer).await });
            Ok(())
        })
    }
}

/// Follows the pages until the browser is sent back to the program.
async fn visit(link: String, answer: Answer) {
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let start = url::Url::parse(&link).unwrap();
    let (mut url, mut form) = (start.clone(), None);
    let mut cookies = BTreeMap::new();
    for _ in 0..12 {
        let request = match form.take() {
            None => http.get(url.clone()),
            Some(form) => http.post(url.clone()).form(&form),
        };
        let cookie: Vec<String> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let response = request
            .header("cookie", cookie.join("; "))
            .send()
            .await
            .unwrap();
        if url.port() != start.port() {
            return;
        }
        for set in response.headers().get_all("set-cookie") {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            cookies.insert(name.to_owned(), value.to_owned());
        }
        cookies.retain(|_, value: &mut String| !value.is_empty());
        if let Some(location) = response.headers().get("location") {
            url = url.join(location.to_str().unwrap()).unwrap();
            continue;
        }
        let page = response.text().await.unwrap();
        match answer {
            Answer::Cancels => url = url.join(&format!("{}/abort", url.path())).unwrap(),
            Answer::SignsInAs(name) if page.contains("name=\"login\"") => {
                let fields = [("prompt", "login"), ("login", name), ("password", "any")];
                form = Some(fields.to_vec());
            }
            Answer::SignsInAs(_) if page.contains("consent") => {
                form = Some(vec![("prompt", "consent")]);
            }
            // An error page: the person is stuck, as people are.
            Answer::SignsInAs(_) => return,
        }
    }
}
