//! Mailroom's window, driven through WebKitWebDriver.

use crate::processes::{Program, free_port};
use crate::world::World;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::error::{CmdError, ErrorStatus};
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// How long something may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);

/// Stops of the Tab key on the longest page, and some more.
const TABS: usize = 80;

/// Keys by their code points in WebDriver ("Keyboard actions").
pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const UP: &str = "\u{e013}";
pub(crate) const DOWN: &str = "\u{e015}";
pub(crate) const SPACE: &str = " ";
const CONTROL: char = '\u{e009}';

/// The open window.
pub(crate) struct Window {
    client: Client,
}

impl Window {
    /// Starts Mailroom in `world` with `args`.
    pub(crate) async fn open(world: &mut World, args: &[&str]) -> Self {
        let port = free_port();
        let mut driver = world.command("WebKitWebDriver");
        driver.args([format!("--port={port}"), "--host=127.0.0.1".to_owned()]);
        driver.env("TAURI_WEBVIEW_AUTOMATION", "true");
        world.keep(Program::start(&mut driver));
        let options = json!({ "binary": program(), "args": args });
        let client = connect(port, "webkitgtk:browserOptions", options).await;
        Self { client }
    }

    /// Clicks the element with this test id, as soon as it is there.
    pub(crate) async fn click(&self, test_id: &str) {
        self.click_css(&by_id(test_id)).await;
    }

    /// The same by CSS selector. A confirmation that lies over it for some seconds is waited for.
    pub(crate) async fn click_css(&self, css: &str) {
        self.wait_for(css).await;
        let began = std::time::Instant::now();
        loop {
            let element = self.client.find(Locator::Css(css)).await.unwrap();
            match element.click().await {
                Err(CmdError::Standard(refusal))
                    if refusal.error == ErrorStatus::ElementClickIntercepted
                        && began.elapsed() < PATIENCE =>
                {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                clicked => return clicked.unwrap(),
            }
        }
    }

    /// Clicks the button that says `name`.
    pub(crate) async fn click_button(&self, name: &str) {
        let path = format!("//button[contains(normalize-space(.), '{name}')]");
        let wait = self.client.wait().at_most(PATIENCE);
        wait.for_element(Locator::XPath(&path))
            .await
            .unwrap()
            .click()
            .await
            .unwrap();
    }

    /// Types into the field with this test id, in place of what it holds.
    pub(crate) async fn fill(&self, test_id: &str, text: &str) {
        let css = by_id(test_id);
        self.wait_for(&css).await;
        let field = self.client.find(Locator::Css(&css)).await.unwrap();
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Presses and releases each of `keys`, as a keyboard does: they go where the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        self.strike(None, keys).await;
    }

    /// Presses `key` while Ctrl is held.
    pub(crate) async fn press_with_control(&self, key: &str) {
        self.strike(Some(CONTROL), key).await;
    }

    async fn strike(&self, held: Option<char>, keys: &str) {
        let down = |value| KeyAction::Down { value };
        let up = |value| KeyAction::Up { value };
        let mut strokes = held.map(down).into_iter().collect::<Vec<_>>();
        strokes.extend(keys.chars().flat_map(|key| [down(key), up(key)]));
        strokes.extend(held.map(up));
        let keyboard = KeyActions::new("keyboard".to_owned());
        let keyboard = strokes.into_iter().fold(keyboard, KeyActions::then);
        self.client.perform_actions(keyboard).await.unwrap();
    }

    /// Goes on by Tab until the focus is at the element with this test id.
    pub(crate) async fn tab_to(&self, test_id: &str) {
        let css = by_id(test_id);
        self.wait_for(&css).await;
        let is_there = format!("return document.activeElement?.matches('{css}') ?? false;");
        for _ in 0..TABS {
            let there = self.client.execute(&is_there, vec![]).await.unwrap();
            if there == json!(true) {
                return;
            }
            self.press(TAB).await;
        }
        panic!("Tab does not lead to {css}");
    }

    /// Goes by Tab to the field with this test id and types into it, in place of what it holds.
    pub(crate) async fn tab_and_type(&self, test_id: &str, text: &str) {
        self.tab_to(test_id).await;
        self.press_with_control("a").await;
        self.press(text).await;
    }

    /// Waits for an element; a failure shows what the window says instead.
    pub(crate) async fn wait_for(&self, css: &str) {
        let waited = self
            .client
            .wait()
            .at_most(PATIENCE)
            .for_element(Locator::Css(css))
            .await;
        if waited.is_err() {
            panic!("no {css} in the window, which says:\n{}", self.text().await);
        }
    }

    /// Waits until the window says `text`.
    pub(crate) async fn wait_for_text(&self, text: &str) {
        let began = std::time::Instant::now();
        loop {
            let shown = self.text().await;
            if shown.contains(text) {
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "\"{text}\" is not in the window, which says:\n{shown}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Everything that the window says.
    pub(crate) async fn text(&self) -> String {
        let script = "return document.body ? document.body.innerText : '';";
        let text = self.client.execute(script, vec![]).await.unwrap();
        text.as_str().unwrap_or_default().to_owned()
    }

    /// What the element with this test id says, as soon as it is there.
    pub(crate) async fn text_of(&self, test_id: &str) -> String {
        let css = by_id(test_id);
        self.wait_for(&css).await;
        self.client
            .find(Locator::Css(&css))
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    }

    /// Runs axe-core and fails on serious and critical findings.
    pub(crate) async fn must_be_accessible(&self, screen: &str) {
        let axe = root().join("ui/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe)
            .unwrap_or_else(|error| panic!("{}: {error}", axe.display()));
        self.client.execute(&axe, vec![]).await.unwrap();
        let run = "const done = arguments[arguments.length - 1];
            axe.run(document, { resultTypes: ['violations'] }).then(
              (result) => done(result.violations
                .filter((found) => ['serious', 'critical'].includes(found.impact))
                .map((found) => found.id + ': ' + found.nodes.map((node) => node.html).join(' | '))),
              (error) => done(['axe failed: ' + error]));";
        let found = self.client.execute_async(run, vec![]).await.unwrap();
        assert_eq!(found, json!([]), "{screen} is not accessible");
    }

    /// Takes a picture for people, into the folder `MAILROOM_PICTURES` where that is set
    /// (`cargo xtask pictures`).
    pub(crate) async fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("MAILROOM_PICTURES").map(PathBuf::from) else {
            return;
        };
        // Before the second frame the picture may still be white.
        let painted = "const done = arguments[arguments.length - 1];
            requestAnimationFrame(() => requestAnimationFrame(() => done(null)));";
        self.client.execute_async(painted, vec![]).await.unwrap();
        let picture = self.client.screenshot().await.unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
    }

    /// Closes the window and with it Mailroom.
    pub(crate) async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// Opens a WebDriver session. A program that dies at its start never answers, so this gives up.
pub(crate) async fn connect(port: u16, vendor: &str, options: Value) -> Client {
    let address = format!("http://127.0.0.1:{port}");
    let began = std::time::Instant::now();
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        assert!(began.elapsed() < PATIENCE, "the driver does not listen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut capabilities = Capabilities::new();
    capabilities.insert(vendor.to_owned(), options);
    let mut builder = ClientBuilder::new(HttpConnector::new());
    builder.capabilities(capabilities);
    tokio::time::timeout(PATIENCE, builder.connect(&address))
        .await
        .expect("the program did not open within a minute")
        .expect("the driver opens a session")
}

/// The selector of a test id.
pub(crate) fn by_id(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
}

fn program() -> PathBuf {
    let path = std::env::var_os("MAILROOM_DESKTOP")
        .map(PathBuf::from)
        .expect("MAILROOM_DESKTOP names no program: run `cargo xtask test --only window`");
    assert!(path.is_file(), "{} is not built", path.display());
    path
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
