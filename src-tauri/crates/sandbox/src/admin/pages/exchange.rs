//! Exchange: who may open and send as which mailbox, and with which programs.

use super::{button, people, table};
use crate::admin::settings::Page;
use crate::entra::pages::esc;
use crate::tenant::directory::{Right, UserKind};
use crate::world::World;

/// "Mailbox delegation": every pair of an account and somebody else's mailbox that is shared or in use.
pub(super) fn delegation(world: &World) -> String {
    let page = Page::Mailboxes;
    let everybody = people(world);
    let directory = world.directory.lock();
    let mut tables = String::new();
    let shared = everybody.iter().filter(|m| m.kind != UserKind::Admin);
    for mailbox in shared {
        let mut rows = String::new();
        for user in &everybody {
            if user.oid == mailbox.oid || user.kind == UserKind::Shared {
                continue;
            }
            let cells = [
                (Right::FullAccess, "full-access", "Full Access"),
                (Right::SendAs, "send-as", "Send As"),
            ]
            .map(|(right, action, name)| {
                let has = directory.decisions.has_right(right, user.oid, mailbox.oid);
                let (now, text, to) = if has {
                    ("Yes", "Remove", "off")
                } else {
                    ("No", "Grant", "on")
                };
                let change = button(
                    page,
                    action,
                    &format!("{action}-{}-{}", user.upn, mailbox.upn),
                    text,
                    &format!("{text} {name} on {} for {}", mailbox.mail, user.upn),
                    &[("user", user.oid), ("mailbox", mailbox.oid), ("to", to)],
                );
                format!("<td>{now} {change}</td>")
            });
            rows += &format!(
                "<tr><th scope=\"row\">{}</th>{}</tr>",
                esc(user.upn),
                cells.concat()
            );
        }
        let kind = if mailbox.kind == UserKind::Shared {
            "shared mailbox"
        } else {
            "user mailbox"
        };
        let caption = format!("{} ({kind})", mailbox.mail);
        let one = table(&caption, &["Account", "Full Access", "Send As"], &rows);
        if mailbox.kind == UserKind::Shared {
            tables = one + &tables;
        } else {
            tables += &format!(
                "<details><summary>{}</summary>{one}</details>",
                esc(&caption)
            );
        }
    }
    tables
}

/// "Manage email apps".
pub(super) fn mail_apps(world: &World) -> String {
    let page = Page::MailApps;
    let everybody = people(world);
    let directory = world.directory.lock();
    let mut rows = String::new();
    for user in &everybody {
        let cells = [
            (&directory.decisions.no_imap, "imap", "IMAP"),
            (&directory.decisions.no_smtp, "smtp", "Authenticated SMTP"),
        ]
        .map(|(forbidden, action, name)| {
            let (now, text, to) = if forbidden.contains(user.oid) {
                ("Off", "Switch on", "on")
            } else {
                ("On", "Switch off", "off")
            };
            let change = button(
                page,
                action,
                &format!("{action}-{}", user.upn),
                text,
                &format!("{text} {name} for {}", user.upn),
                &[("user", user.oid), ("to", to)],
            );
            format!("<td>{now} {change}</td>")
        });
        rows += &format!(
            "<tr><th scope=\"row\">{}</th>{}</tr>",
            esc(user.upn),
            cells.concat()
        );
    }
    table(
        "Email apps",
        &["Account", "IMAP", "Authenticated SMTP"],
        &rows,
    )
}
