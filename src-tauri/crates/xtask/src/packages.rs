//! System packages: installed with apt-get where that exists, named in a sentence where it does not.

use crate::process;
use std::process::Command;

/// One thing the system must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// The Debian package.
    package: &'static str,
    /// Programs of which one in PATH is as good as the package; empty for libraries.
    programs: &'static [&'static str],
    /// What a person on another system should look for.
    words: &'static str,
}

/// To compile anything at all.
pub(crate) const BUILD: &[Need] = &[
    need("build-essential", &["cc"], "a C compiler"),
    need("pkg-config", &["pkg-config"], "pkg-config"),
];

/// To compile and open the window.
pub(crate) const WINDOW: &[Need] = &[
    need(
        "libwebkit2gtk-4.1-dev",
        &[],
        "WebKitGTK 4.1 with its development files",
    ),
    need(
        "libayatana-appindicator3-1",
        &[],
        "the Ayatana app indicator library",
    ),
    need("xdg-utils", &["xdg-open"], "xdg-open"),
];

/// To run all tests.
pub(crate) const TEST: &[Need] = &[
    need("xvfb", &["Xvfb"], "Xvfb"),
    need("webkit2gtk-driver", &["WebKitWebDriver"], "WebKitWebDriver"),
    need("gnome-keyring", &["gnome-keyring-daemon"], "gnome-keyring"),
    need("dbus", &["dbus-daemon"], "dbus-daemon"),
    need(
        "chromium",
        &["chromium", "chromium-browser", "google-chrome"],
        "Chromium or Chrome",
    ),
    need("chromium-driver", &["chromedriver"], "chromedriver"),
    need("python3", &["python3"], "Python 3 with venv"),
    need("dovecot-imapd", &[], "Dovecot with IMAP"),
    need("postfix", &[], "Postfix"),
    need("fonts-noto-cjk", &[], "a font with Japanese characters"),
];

/// To measure: a server, and others that do the same work.
pub(crate) const BENCH: &[Need] = &[
    need("dovecot-imapd", &[], "Dovecot with IMAP"),
    need("isync", &["mbsync"], "mbsync"),
    need("notmuch", &["notmuch"], "notmuch"),
];

/// Only where the installed Python lacks the `venv` module (Debian ships it apart).
const VENV: Need = need("python3-venv", &[], "Python's venv module");

const fn need(
    package: &'static str,
    programs: &'static [&'static str],
    words: &'static str,
) -> Need {
    Need {
        package,
        programs,
        words,
    }
}

/// Installs what is missing. On systems without apt-get, says what to install when something is.
pub(crate) fn ensure(groups: &[&[Need]]) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        // macOS and Windows bring the webview; a compiler came with Rust's own set-up.
        return Ok(());
    }
    let mut needs: Vec<Need> = groups.concat();
    if needs.iter().any(|need| need.package == "python3") && !has_venv() {
        needs.push(VENV);
    }
    let missing = missing(&needs);
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if process::find("apt-get").is_none() {
        let words: Vec<&str> = missing.iter().map(|need| need.words).collect();
        return Err(format!(
            "Please install with your system's package tool: {}. (The Debian packages are called: {}.)",
            words.join(", "),
            names.join(" ")
        ));
    }
    println!("Installing system packages: {}", names.join(" "));
    install(&names)
}

fn missing(needs: &[Need]) -> Vec<Need> {
    let mut rest: Vec<Need> = needs
        .iter()
        .filter(|need| {
            !need
                .programs
                .iter()
                .any(|name| process::find(name).is_some())
        })
        .copied()
        .collect();
    if rest.is_empty() || process::find("dpkg-query").is_none() {
        rest.retain(|need| !has_library(need.package));
        return rest;
    }
    let listed = process::read(
        Command::new("dpkg-query")
            .args(["-W", "-f", "${db:Status-Status} ${Package}\\n"])
            .args(rest.iter().map(|need| need.package)),
    )
    .unwrap_or_default();
    rest.retain(|need| {
        !listed
            .lines()
            .any(|line| line.split_once(' ') == Some(("installed", need.package)))
    });
    rest
}

/// Without dpkg, libraries are asked of pkg-config; what it cannot know is taken as present.
fn has_library(package: &str) -> bool {
    match package {
        "libwebkit2gtk-4.1-dev" => {
            process::succeeds(Command::new("pkg-config").args(["--exists", "webkit2gtk-4.1"]))
        }
        "libayatana-appindicator3-1" | "fonts-noto-cjk" => true,
        // Elsewhere one package brings all of Dovecot; Debian has the IMAP half apart.
        "dovecot-imapd" => process::find("dovecot").is_some(),
        "postfix" => process::find("postfix").is_some(),
        _ => false,
    }
}

fn has_venv() -> bool {
    process::succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
}

fn install(names: &[&str]) -> Result<(), String> {
    let attempt = |command: &[&str]| process::run(&mut as_root(command));
    let mut wanted = vec!["apt-get", "install", "-y", "--no-install-recommends"];
    wanted.extend(names);
    // A fresh machine has no package lists, and mirrors fail now and then for no lasting reason.
    attempt(&wanted)
        .or_else(|_| attempt(&["apt-get", "update"]).and_then(|()| attempt(&wanted)))
        .or_else(|_| {
            std::thread::sleep(std::time::Duration::from_secs(5));
            let _ = attempt(&["apt-get", "update"]);
            attempt(&wanted)
        })
        .map_err(|why| {
            format!(
                "{why}\nPlease install these packages yourself and try again:\n  sudo apt-get install {}",
                names.join(" ")
            )
        })
}

fn as_root(command: &[&str]) -> Command {
    let is_root = process::read(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    let mut words: Vec<&str> = if is_root { vec![] } else { vec!["sudo", "-n"] };
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive"]);
    words.extend(command);
    let mut result = Command::new(words[0]);
    result.args(&words[1..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_the_path_makes_its_package_unnecessary() {
        let present = need("no-such-package", &["no-such-program", "cargo"], "");
        assert!(missing(&[present]).is_empty());
    }

    #[test]
    fn a_package_that_is_not_there_is_missing() {
        let absent = need("no-such-package", &["no-such-program"], "");
        assert_eq!(missing(&[absent]).len(), 1);
    }
}
