//! The tray's menu as plain values, made from the list of addresses.

use mailroom_core::api::view::{AddressView, Status};
use mailroom_core::words::Words;

/// More addresses than this are left to the window.
const MOST_LINES: usize = 8;

/// What the tray shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// The icon.
    pub(crate) lamp: Lamp,
    /// One line for the tooltip and the top of the menu.
    pub(crate) summary: String,
    /// The menu, from top to bottom.
    pub(crate) lines: Vec<Line>,
}

/// The icon's three states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lamp {
    /// Mail flows, or nothing is connected.
    Ok,
    /// Something wants a look.
    Attention,
    /// Mail of at least one address is not read.
    Failed,
}

/// One line of the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Line {
    /// Words only.
    Text(String),
    /// A rule.
    Separator,
    /// Something to choose.
    Do(Action, String),
}

/// What can be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// Show the window.
    Open,
    /// Poll every address now.
    SyncNow,
    /// Pause every address.
    PauseAll,
    /// Resume every paused address.
    ResumeAll,
    /// End Mailroom.
    Quit,
}

impl Lamp {
    /// Whether mail flows.
    pub(crate) fn is_ok(self) -> bool {
        self == Self::Ok
    }
}

impl Action {
    const ALL: [Self; 5] = [
        Self::Open,
        Self::SyncNow,
        Self::PauseAll,
        Self::ResumeAll,
        Self::Quit,
    ];

    /// The menu item's id, which is the name of its words too.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SyncNow => "sync_now",
            Self::PauseAll => "pause_all",
            Self::ResumeAll => "resume_all",
            Self::Quit => "quit",
        }
    }

    /// The action of a menu item.
    pub(crate) fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.id() == id)
    }
}

/// Draws the tray for these addresses: the worst first.
pub(crate) fn picture(addresses: &[AddressView], words: &Words) -> Picture {
    let mut sorted: Vec<&AddressView> = addresses
        .iter()
        .filter(|address| address.status != Status::Disconnected)
        .collect();
    sorted.sort_by(|a, b| {
        (lamp_of_address(b), a.address.as_str()).cmp(&(lamp_of_address(a), b.address.as_str()))
    });
    let summary = summary(&sorted, words);
    let mut lines = vec![Line::Text(summary.clone())];
    lines.extend(sorted.iter().take(MOST_LINES).map(|address| {
        let status = words.status(address.status);
        let values = [("address", address.address.as_str()), ("status", status)];
        let name = if address.silent {
            "line_silent"
        } else {
            "line"
        };
        Line::Text(words.tray(name, &values))
    }));
    if let Some(more) = sorted
        .len()
        .checked_sub(MOST_LINES)
        .filter(|more| *more > 0)
    {
        lines.push(Line::Text(
            words.tray("more", &[("count", &more.to_string())]),
        ));
    }
    lines.push(Line::Separator);
    let mut actions = vec![Action::Open];
    let paused = |address: &&AddressView| address.status == Status::Paused;
    if !sorted.iter().all(paused) {
        actions.extend([Action::SyncNow, Action::PauseAll]);
    }
    if sorted.iter().any(paused) {
        actions.push(Action::ResumeAll);
    }
    lines.extend(actions.into_iter().map(|action| choice(action, words)));
    lines.push(Line::Separator);
    lines.push(choice(Action::Quit, words));
    Picture {
        lamp: sorted
            .first()
            .map_or(Lamp::Ok, |worst| lamp_of_address(worst)),
        summary,
        lines,
    }
}

fn choice(action: Action, words: &Words) -> Line {
    Line::Do(action, words.tray(action.id(), &[]))
}

fn summary(addresses: &[&AddressView], words: &Words) -> String {
    let all = addresses.len().to_string();
    let troubled = addresses
        .iter()
        .filter(|address| lamp_of_address(address) > Lamp::Ok);
    match (addresses.len(), troubled.count()) {
        (0, _) => words.tray("no_addresses", &[]),
        (_, 0) => words.tray("all_verified", &[("count", &all)]),
        (_, count) => words.tray(
            "need_a_look",
            &[("count", &count.to_string()), ("all", &all)],
        ),
    }
}

/// How alarming an address is. Whatever keeps mail from coming, silence is as bad as a failure.
fn lamp_of_address(address: &AddressView) -> Lamp {
    if address.silent {
        Lamp::Failed
    } else {
        lamp(address.status)
    }
}

/// How alarming a status is.
pub(crate) fn lamp(status: Status) -> Lamp {
    match status {
        Status::Verified | Status::Importing | Status::Disconnected => Lamp::Ok,
        Status::Paused | Status::Offline | Status::Attention | Status::WaitingForApproval => {
            Lamp::Attention
        }
        Status::Failed => Lamp::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mailroom_core::api::view::ProviderKind;
    use mailroom_core::words::words;

    fn address(name: &str, status: Status) -> AddressView {
        AddressView {
            id: 1,
            address: format!("{name}@contoso.example"),
            brand: "Contoso".into(),
            provider: ProviderKind::Graph,
            mailbox: None,
            sandbox: false,
            is_default: false,
            proven_at: None,
            default_to_be: false,
            undo_until: None,
            status,
            cause: None,
            last_success_at: None,
            next_poll_at: None,
            polling: false,
            silent: false,
            new_tickets_today: 0,
            activity: Vec::new(),
            open_tickets: 0,
            pending_marks: 0,
            import: None,
        }
    }

    fn texts(picture: &Picture) -> Vec<&str> {
        let text = |line| match line {
            &Line::Text(ref text) | &Line::Do(_, ref text) => text.as_str(),
            Line::Separator => "-",
        };
        picture.lines.iter().map(text).collect()
    }

    #[test]
    fn says_so_when_nothing_is_connected() {
        let picture = picture(&[], words("en"));
        assert_eq!(picture.lamp, Lamp::Ok);
        let expected = [
            "No address connected yet",
            "-",
            "Open Mailroom",
            "-",
            "Quit Mailroom",
        ];
        assert_eq!(texts(&picture), expected);
    }

    #[test]
    fn the_worst_address_comes_first_and_colours_the_icon() {
        let all = [
            address("a", Status::Verified),
            address("b", Status::Offline),
            address("c", Status::Failed),
        ];
        let picture = picture(&all, words("en"));
        assert_eq!(picture.lamp, Lamp::Failed);
        assert_eq!(picture.summary, "Need a look: 2 of 3");
        let lines = texts(&picture);
        assert_eq!(lines[1], "c@contoso.example: Failed");
        assert_eq!(lines[3], "a@contoso.example: Verified");
        assert!(lines.contains(&"Sync now"));
        assert!(!lines.contains(&"Resume all"));
    }

    #[test]
    fn silence_is_as_bad_as_a_failure_whatever_the_status() {
        let silent = AddressView {
            silent: true,
            ..address("b", Status::Offline)
        };
        let picture = picture(&[address("a", Status::Attention), silent], words("en"));
        assert_eq!(picture.lamp, Lamp::Failed);
        assert_eq!(texts(&picture)[1], "b@contoso.example: silent (Offline)");
    }

    #[test]
    fn a_long_list_ends_with_the_number_of_the_rest() {
        let all: Vec<AddressView> = (0..10)
            .map(|n| address(&format!("a{n}"), Status::Verified))
            .collect();
        let picture = picture(&all, words("de"));
        assert!(texts(&picture).contains(&"2 weitere im Fenster"));
        assert_eq!(picture.summary, "E-Mails kommen an: 10 von 10");
    }

    #[test]
    fn when_all_are_paused_only_resuming_is_offered() {
        let picture = picture(&[address("a", Status::Paused)], words("en"));
        let lines = texts(&picture);
        assert!(lines.contains(&"Resume all"));
        assert!(!lines.contains(&"Pause all"));
    }

    #[test]
    fn disconnected_addresses_are_left_out() {
        let picture = picture(&[address("a", Status::Disconnected)], words("en"));
        assert_eq!(picture.summary, "No address connected yet");
    }

    #[test]
    fn every_action_is_found_again_by_its_id() {
        for action in Action::ALL {
            assert_eq!(Action::from_id(action.id()), Some(action));
        }
        assert_eq!(Action::from_id("format_disk"), None);
    }
}
