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

    /// Signs in on Entra's pages: name, password, and consent where it is asked for. Returns what the last
    /// page says.
    pub(crate) async fn sign_in(&self, login: &str, password: &str) -> String {
        let name = self.find("input[name=loginfmt]").await;
        name.clear().await.unwrap();
        name.send_keys(login).await.unwrap();
        self.find("#next").await.click().await.unwrap();
        self.find("input[name=passwd]")
            .await
            .send_keys(password)
            .await
            .unwrap();
        self.find("#signin").await.click().await.unwrap();
        self.find("#accept").await.click().await.unwrap();
        self.client
            .wait()
            .at_most(Duration::from_secs(30))
            .for_element(Locator::Css("html:not(:has(form))"))
            .await
            .unwrap();
        self.text().await
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
