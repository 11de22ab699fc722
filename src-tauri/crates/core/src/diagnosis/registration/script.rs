//! Scripts that make the registration, or mend it. They only look until they are told to change something, and may be
//! run again: what is there stays, what is missing is added.

use super::{Access, GRAPH};
use crate::diagnosis::catalogue::{clean, quoted};

/// What runs the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "bindings", derive(ts_rs::TS), ts(export))]
pub enum Shell {
    /// PowerShell with the module Microsoft.Graph.Applications.
    Powershell,
    /// A POSIX shell with the Azure command line (`az`).
    Az,
}

/// What the registration is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, `Mailroom` where it is empty.
    pub name: String,
    /// Its client id, where it exists already.
    pub client_id: Option<String>,
    /// The tenant that it is made in: id or domain; empty: where the admin signs in.
    pub tenant: String,
    /// How mail is to be read.
    pub access: Access,
}

const POWERSHELL: &str = include_str!("script.ps1.txt");
const AZ: &str = include_str!("script.sh.txt");

/// The script, with every value quoted for its shell.
pub fn script(wanted: &Wanted, shell: Shell) -> String {
    let name = match clean(&wanted.name) {
        name if name.is_empty() => "Mailroom".to_owned(),
        name => name,
    };
    let tenant = match clean(&wanted.tenant).as_str() {
        "common" | "organizations" | "consumers" => String::new(),
        tenant => tenant.to_owned(),
    };
    // An OData string (OData URL Conventions 5.1.1.6.1): a quote is written twice.
    let filter = match wanted.client_id.as_deref().map(clean) {
        Some(id) if !id.is_empty() => format!("appId eq '{}'", id.replace('\'', "''")),
        _ => format!("displayName eq '{}'", name.replace('\'', "''")),
    };
    let permissions = wanted.access.permissions();
    let (text, quote, list): (&str, fn(&str) -> String, String) = match shell {
        Shell::Powershell => {
            let all: Vec<String> = permissions.iter().map(|name| quoted(name)).collect();
            (POWERSHELL, quoted, all.join(", "))
        }
        Shell::Az => (AZ, sh_quoted, permissions.join(" ")),
    };
    let values = [
        ("{name}", quote(&name)),
        ("{tenant}", quote(&tenant)),
        ("{filter}", quote(&filter)),
        ("{graph}", quote(GRAPH)),
        ("{scopes}", list),
    ];
    // One pass a line, so that a value is never read as a placeholder.
    let lines: Vec<String> = text.lines().map(|line| filled(line, &values)).collect();
    lines.join("\n") + "\n"
}

/// `line` with its first placeholder filled in; the templates have at most one a line.
fn filled(line: &str, values: &[(&str, String)]) -> String {
    let found = values.iter().find_map(|(name, value)| {
        line.split_once(name)
            .map(|(before, after)| (before, value, after))
    });
    match found {
        Some((before, value, after)) => format!("{before}{value}{after}"),
        None => line.to_owned(),
    }
}

/// A single-quoted word of a POSIX shell (POSIX.1-2017, 2.2.2): nothing in it is expanded.
fn sh_quoted(value: &str) -> String {
    format!("'{}'", clean(value).replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(value: &str) -> Wanted {
        Wanted {
            name: value.to_owned(),
            client_id: None,
            tenant: value.to_owned(),
            access: Access::Graph,
        }
    }

    const HOSTILE: &str =
        "x'; rm -rf ~; \u{2019}$(calc)\u{2018} `id` \"&|\"\r\nStop-Computer {scopes}\u{202e}";

    #[test]
    fn both_scripts_look_first_and_change_only_when_told() {
        for (shell, looks, changes, told) in [
            (
                Shell::Powershell,
                "Get-MgApplication",
                "New-MgApplication",
                "$Apply",
            ),
            (Shell::Az, "az ad app list", "az ad app create", "--apply"),
        ] {
            let text = script(&wanted("Mailroom"), shell);
            let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
            assert!(at(looks) < at(changes));
            assert!(at(told) < at(changes));
            for part in ["http://localhost", "Mail.ReadWrite", GRAPH] {
                assert!(text.contains(part), "{part}");
            }
            assert!(
                !text.contains("{name}") && !text.contains("{scopes}"),
                "{text}"
            );
        }
    }

    #[test]
    fn hostile_values_stay_inside_their_quotes_on_their_line() {
        for shell in [Shell::Powershell, Shell::Az] {
            let (calm, hostile) = (script(&wanted("x"), shell), script(&wanted(HOSTILE), shell));
            assert_eq!(calm.lines().count(), hostile.lines().count());
            assert!(!hostile.contains(['\u{202e}', '\r']));
            for (calm, hostile) in calm.lines().zip(hostile.lines()) {
                if calm != hostile {
                    let (before, _) = hostile.split_once('\'').unwrap();
                    assert!(calm.starts_with(before), "{hostile}");
                    assert!(hostile.ends_with('\''), "{hostile}");
                }
            }
        }
        let text = script(&wanted(HOSTILE), Shell::Powershell);
        assert!(
            text.contains("$name = 'x''; rm -rf ~; \u{2019}\u{2019}$(calc)\u{2018}\u{2018} `id`")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_hostile_names_as_they_are() {
        let text = script(&wanted(HOSTILE), Shell::Az);
        let values: String = text
            .lines()
            .take_while(|line| !line.starts_with("apply="))
            .filter(|line| line.starts_with("name="))
            .map(|line| format!("{line}\nprintf %s \"$name\"\n"))
            .collect();
        let run = |command: &str, text: &str| {
            let output = std::process::Command::new("sh")
                .args([command, text])
                .output();
            output.unwrap()
        };
        let seen = run("-c", &values);
        assert_eq!(String::from_utf8(seen.stdout).unwrap(), clean(HOSTILE));
        // The whole script is one that a shell can read.
        let checked = run("-nc", &text);
        assert!(checked.status.success(), "{checked:?}");
    }
}
