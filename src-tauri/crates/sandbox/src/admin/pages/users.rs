//! Accounts: sessions, passwords, blocked sign-ins.

use super::{button, people, table};
use crate::admin::settings::Page;
use crate::entra::obstacles::under;
use crate::entra::pages::esc;
use crate::scenarios::Scenario;
use crate::tenant::directory::UserKind;
use crate::world::World;

/// Every account with what can be done to it.
pub(super) fn accounts(world: &World) -> String {
    let page = Page::Users;
    let mut rows = String::new();
    for user in people(world) {
        if user.kind == UserKind::Shared {
            rows += &format!(
                "<tr><th scope=\"row\">{}</th><td>Sign-in is blocked: a shared mailbox</td><td></td></tr>",
                esc(user.upn)
            );
            continue;
        }
        let admin = user.kind == UserKind::Admin;
        let is = |scenario| !admin && under(world, scenario, &user);
        let blocked = is(Scenario::UserDisabled);
        let state = if is(Scenario::UserDeleted) {
            "Deleted"
        } else if blocked {
            "Sign-in is blocked"
        } else if is(Scenario::AccountLocked) {
            "Locked"
        } else if is(Scenario::PasswordExpired) {
            "Password expired"
        } else {
            "Active"
        };
        let mut actions = vec![
            ("revoke-sessions", "Revoke sessions"),
            ("reset-password", "Reset password"),
        ];
        if blocked {
            actions.push(("unblock-sign-in", "Unblock sign-in"));
        } else if !admin {
            actions.push(("block-sign-in", "Block sign-in"));
        }
        let buttons: String = actions
            .into_iter()
            .map(|(action, text)| {
                let id = format!("{action}-{}", user.upn);
                let label = format!("{text}: {}", user.upn);
                button(page, action, &id, text, &label, &[("user", user.oid)])
            })
            .collect();
        rows += &format!(
            "<tr><th scope=\"row\">{}<br>{}</th><td>{state}</td><td>{buttons}</td></tr>",
            esc(user.name),
            esc(user.upn)
        );
    }
    table("Accounts", &["Account", "State", "Actions"], &rows)
}
