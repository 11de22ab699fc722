//! What the window is started with: a few flags, each with an environment variable behind it.

use std::ffi::OsString;
use std::path::PathBuf;

/// How the window was asked to start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Args {
    /// `--data-dir`, else `MAILROOM_DATA_DIR`, else the platform's data folder.
    pub(crate) data_dir: Option<PathBuf>,
    /// `--secrets file`: the key is in a key file under `MAILROOM_PASSPHRASE` instead of the keychain.
    pub(crate) key_file: bool,
    /// `--ca-file`: an additional root certificate, for test servers and private authorities.
    pub(crate) ca_file: Option<PathBuf>,
    /// `--browser`, else `MAILROOM_BROWSER`, else `BROWSER`: a command that gets the link as its last argument.
    pub(crate) browser: Option<String>,
}

/// The flags in words, for a wrong one.
pub(crate) const USAGE: &str =
    "mailroom-desktop [--data-dir DIR] [--secrets os|file] [--ca-file PEM] [--browser COMMAND]";

impl Args {
    /// Reads the arguments (without the program's name); `variable` looks up the environment.
    /// Returns the argument that is not understood.
    pub(crate) fn read(
        mut args: impl Iterator<Item = OsString>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Self, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let text = |value: OsString| value.to_string_lossy().into_owned();
        let mut found = Self {
            data_dir: variable("MAILROOM_DATA_DIR").map(PathBuf::from),
            key_file: false,
            ca_file: None,
            browser: variable("MAILROOM_BROWSER")
                .or_else(|| variable("BROWSER"))
                .map(text),
        };
        while let Some(arg) = args.next() {
            let flag = text(arg);
            let (flag, joined) = match flag.split_once('=') {
                Some((flag, value)) => (flag.to_owned(), Some(OsString::from(value))),
                None => (flag, None),
            };
            let mut value = || {
                joined
                    .clone()
                    .or_else(|| args.next())
                    .ok_or_else(|| flag.clone())
            };
            match flag.as_str() {
                "--data-dir" => found.data_dir = Some(value()?.into()),
                "--ca-file" => found.ca_file = Some(value()?.into()),
                "--browser" => found.browser = Some(text(value()?)),
                "--secrets" => match text(value()?).as_str() {
                    "os" => found.key_file = false,
                    "file" => found.key_file = true,
                    other => return Err(format!("--secrets {other}")),
                },
                _ => return Err(flag),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(args: &[&str], variables: &[(&str, &str)]) -> Result<Args, String> {
        Args::read(args.iter().map(OsString::from), |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn a_flag_wins_over_the_environment() {
        let args = read(&["--data-dir", "/a"], &[("MAILROOM_DATA_DIR", "/b")]).unwrap();
        assert_eq!(args.data_dir, Some(PathBuf::from("/a")));
        let args = read(&["--data-dir=/c"], &[]).unwrap();
        assert_eq!(args.data_dir, Some(PathBuf::from("/c")));
    }

    #[test]
    fn our_own_browser_variable_wins_over_the_common_one() {
        let both = [("BROWSER", "a"), ("MAILROOM_BROWSER", "b")];
        assert_eq!(read(&[], &both).unwrap().browser.as_deref(), Some("b"));
        assert_eq!(read(&[], &both[..1]).unwrap().browser.as_deref(), Some("a"));
        assert_eq!(read(&[], &[("BROWSER", "")]).unwrap().browser, None);
    }

    #[test]
    fn names_the_argument_that_it_does_not_understand() {
        assert_eq!(read(&["--nonsense"], &[]), Err("--nonsense".into()));
        assert_eq!(
            read(&["--secrets", "paper"], &[]),
            Err("--secrets paper".into())
        );
        assert_eq!(read(&["--ca-file"], &[]), Err("--ca-file".into()));
    }
}
