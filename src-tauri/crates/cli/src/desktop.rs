//! The terminal's desktop: starts the browser command that was given, or the system's browser.

use mailroom_core::app::desktop::Desktop;
use std::process::Stdio;

/// Opens links by `--browser`, `BROWSER` or the system.
pub(crate) struct Terminal {
    /// A command with arguments; the link is added as the last one.
    pub(crate) browser: Option<String>,
}

impl Desktop for Terminal {
    fn open_url<'a>(
        &'a self,
        url: &'a str,
        private_window: bool,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            match &self.browser {
                Some(command) => start(command, url),
                None if private_window => {
                    Err("a private window needs --browser with the browser's own option".into())
                }
                None => open::that_detached(url).map_err(|error| error.to_string()),
            }
        })
    }
}

fn start(command: &str, url: &str) -> Result<(), String> {
    let words = shlex::split(command)
        .ok_or_else(|| format!("the browser command has an open quote: {command}"))?;
    let (program, arguments) = words.split_first().ok_or("the browser command is empty")?;
    std::process::Command::new(program)
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| format!("{program}: {error}"))
}
