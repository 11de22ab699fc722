//! Which commands open a link in a browser: pure, so that every system's list is tested on every system.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Launch {
    /// The program: a name to look up, or a full path.
    pub(crate) program: OsString,
    /// Its arguments, the link included.
    pub(crate) args: Vec<String>,
}

/// Where a list of browsers is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum System {
    /// Linux and the BSDs: programs in PATH.
    Unix,
    /// macOS: applications by name.
    MacOs,
    /// Windows: programs in the program folders.
    Windows,
}

/// The system this program runs on.
pub(crate) const HERE: System = if cfg!(target_os = "macos") {
    System::MacOs
} else if cfg!(windows) {
    System::Windows
} else {
    System::Unix
};

const FIREFOX: &str = "--private-window";
const CHROME: &str = "--incognito";
const EDGE: &str = "--inprivate";

/// The command that the person chose (`BROWSER` and the like). `%s` stands for the link; without it the
/// link becomes the last argument. Nothing when the command is empty.
pub(crate) fn chosen(command: &str, private: bool, url: &str) -> Option<Launch> {
    // A path with backslashes is no quoting; on Windows the words are split at spaces alone.
    let words = if HERE == System::Windows {
        command.split_whitespace().map(ToOwned::to_owned).collect()
    } else {
        shlex::split(command)?
    };
    let mut args: Vec<String> = words;
    if args.is_empty() {
        return None;
    }
    let program = args.remove(0);
    if private && let Some(flag) = private_flag(&program) {
        args.insert(0, flag.to_owned());
    }
    match args.iter_mut().find(|arg| arg.contains("%s")) {
        Some(arg) => *arg = arg.replace("%s", url),
        None => args.push(url.to_owned()),
    }
    Some(Launch {
        program: program.into(),
        args,
    })
}

/// How a private window is opened, by the program's name; nothing for browsers we do not know.
fn private_flag(program: &str) -> Option<&'static str> {
    let name = Path::new(program)
        .file_stem()?
        .to_string_lossy()
        .to_lowercase();
    [
        ("firefox", FIREFOX),
        ("librewolf", FIREFOX),
        ("edge", EDGE),
        ("chrom", CHROME),
        ("brave", CHROME),
        ("vivaldi", CHROME),
    ]
    .into_iter()
    .find_map(|(part, flag)| name.contains(part).then_some(flag))
}

/// Commands that open a private window, in the order to try them. `programs` are Windows' program folders.
pub(crate) fn private(system: System, programs: &[PathBuf], url: &str) -> Vec<Launch> {
    match system {
        System::Unix => [
            ("firefox", FIREFOX),
            ("firefox-esr", FIREFOX),
            ("google-chrome", CHROME),
            ("google-chrome-stable", CHROME),
            ("chromium", CHROME),
            ("chromium-browser", CHROME),
            ("microsoft-edge", EDGE),
            ("microsoft-edge-stable", EDGE),
            ("brave-browser", CHROME),
        ]
        .map(|(program, flag)| launch(program, &[flag, url]))
        .into(),
        // Safari has no switch for a private window.
        System::MacOs => [
            ("Google Chrome", CHROME),
            ("Firefox", FIREFOX),
            ("Microsoft Edge", EDGE),
            ("Brave Browser", CHROME),
        ]
        .map(|(name, flag)| launch("open", &["-na", name, "--args", flag, url]))
        .into(),
        System::Windows => [
            ("Microsoft/Edge/Application/msedge.exe", EDGE),
            ("Google/Chrome/Application/chrome.exe", CHROME),
            ("Mozilla Firefox/firefox.exe", FIREFOX),
        ]
        .into_iter()
        .flat_map(|(path, flag)| {
            programs
                .iter()
                .map(move |folder| launch(folder.join(path), &[flag, url]))
        })
        .collect(),
    }
}

fn launch(program: impl Into<OsString>, args: &[&str]) -> Launch {
    Launch {
        program: program.into(),
        args: args.iter().map(ToString::to_string).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://localhost:1/authorize?a=1&b=2";

    #[test]
    fn the_link_is_one_last_argument_and_never_split() {
        let launch = chosen("my-browser --new-tab", false, URL).unwrap();
        assert_eq!(launch.args, ["--new-tab", URL]);
        let launch = chosen("my-browser --url=%s --quiet", false, URL).unwrap();
        assert_eq!(launch.args, [format!("--url={URL}"), "--quiet".into()]);
        assert_eq!(chosen("  ", false, URL), None);
    }

    #[test]
    fn a_chosen_browser_gets_its_own_private_flag() {
        let flag = |command| chosen(command, true, URL).unwrap().args[0].clone();
        assert_eq!(flag("/usr/bin/firefox-esr"), "--private-window");
        assert_eq!(flag("chromium"), "--incognito");
        assert_eq!(flag("msedge.exe"), "--inprivate");
        assert_eq!(flag("lynx"), URL);
    }

    #[test]
    fn every_system_has_private_windows_that_end_with_the_link() {
        let folders = [PathBuf::from("C:/Program Files")];
        for system in [System::Unix, System::MacOs, System::Windows] {
            let launches = private(system, &folders, URL);
            assert!(launches.len() >= 3);
            for launch in launches {
                assert_eq!(launch.args.last().map(String::as_str), Some(URL));
                assert!(launch.args.len() >= 2);
            }
        }
    }
}
