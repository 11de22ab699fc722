//! A real Chromium, in which a person signs in.

use crate::processes::{Program, free_port};
use crate::window::connect;
use crate::world::World;
use fantoccini::{Client, Locator};
use serde_json::json;
use std::time::Duration;

/// The browser.
pub(crate) struct Browser {
    client: Client,
}

impl Browser {
    /// Starts a headless browser with a fresh profile.
    pub(crate) async fn start(world: &mut World) -> Self {
        let port = free_port();
        let mut driver = world.command("chromedriver");
        driver.arg(format!("--port={port}"));
        world.keep(Program::start(&mut driver));
        let profile = world.scratch().join("browser");
        let options = json!({
            "binary": binary(),
            "args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--no-first-run", format!("--user-data-dir={}", profile.display()),
            ],
        });
        Self {
            client: connect(port, "goog:chromeOptions", options).await,
        }
    }

    /// Goes to a link.
    pub(crate) async fn goto(&self, link: &str) {
        self.client.goto(link).await.unwrap();
    }

    /// Goes through Entra's pages as they come: the name where it is not filled in yet, the password, and
    /// consent where it is asked for. Returns what the page behind them says.
    pub(crate) async fn sign_in(&self, login: &str, password: &str) -> String {
        loop {
            let page = self
                .find("input[name=loginfmt], input[name=passwd], #accept, html:not(:has(form))")
                .await;
            match page.attr("name").await.unwrap().as_deref() {
                Some("loginfmt") => {
                    page.send_keys(login).await.unwrap();
                    self.leave_by("#next").await;
                }
                Some("passwd") => {
                    page.send_keys(password).await.unwrap();
                    self.leave_by("#signin").await;
                }
                _ if page.tag_name().await.unwrap() == "html" => return self.text().await,
                _ => self.leave_by("#accept").await,
            }
        }
    }

    /// Signs in on the way to the practice administration, whoever is signed in already, until its page is shown.
    pub(crate) async fn sign_in_as_admin(&self, login: &str, password: &str) {
        loop {
            let page = self
                .find("input[name=loginfmt], input[name=passwd], #other-account, nav[aria-label=Administration]")
                .await;
            match page.attr("name").await.unwrap().as_deref() {
                Some("loginfmt") => {
                    page.send_keys(login).await.unwrap();
                    self.leave_by("#next").await;
                }
                Some("passwd") => {
                    page.send_keys(password).await.unwrap();
                    self.leave_by("#signin").await;
                }
                _ if page.tag_name().await.unwrap() == "nav" => return,
                _ => self.leave_by("#other-account").await,
            }
        }
    }

    /// Signs in until Entra says that an admin must approve first, and goes back to the app. Returns what its page says.
    pub(crate) async fn turned_away(&self, login: &str, password: &str) -> String {
        loop {
            let page = self
                .find("input[name=loginfmt], input[name=passwd], dd#error")
                .await;
            match page.attr("name").await.unwrap().as_deref() {
                Some("loginfmt") => {
                    page.send_keys(login).await.unwrap();
                    self.leave_by("#next").await;
                }
                Some(_) => {
                    page.send_keys(password).await.unwrap();
                    self.leave_by("#signin").await;
                }
                None => {
                    self.leave_by("#cancel").await;
                    return self.text().await;
                }
            }
        }
    }

    /// Clicks and waits until another page is shown.
    pub(crate) async fn leave_by(&self, css: &str) {
        let before = self.client.find(Locator::Css("html")).await.unwrap();
        self.find(css).await.click().await.unwrap();
        let began = std::time::Instant::now();
        // An element of a page that was left cannot be asked any more.
        while before.tag_name().await.is_ok() {
            assert!(
                began.elapsed() < Duration::from_secs(30),
                "{css} leads nowhere"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the page says.
    pub(crate) async fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : '';";
        let text = self.client.execute(script, vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    async fn find(&self, css: &str) -> fantoccini::elements::Element {
        let wait = self.client.wait().at_most(Duration::from_secs(30));
        match wait.for_element(Locator::Css(css)).await {
            Ok(element) => element,
            Err(error) => panic!(
                "no {css} ({error}) on the page, which says:\n{}",
                self.text().await
            ),
        }
    }

    /// Ends the browser.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}

fn binary() -> &'static str {
    let known = [
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ];
    known
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
        .expect("no Chromium: run `cargo xtask setup`")
}
