//! Who may do what: the token's permissions, and the rights on the mailbox.

use std::sync::Arc;

use http::Method;

use super::answer::Refusal;
use super::call::Call;
use crate::entra::tokens::{Claims, authenticate};
use crate::scenarios::Scenario;
use crate::tenant::directory::User;
use crate::tenant::mailboxes::Mailbox;
use crate::world::World;

/// A call about the mail of one user, with everything needed to judge and answer it.
pub(super) struct Visit<'a> {
    /// The tenant.
    pub(super) world: &'a Arc<World>,
    /// The request.
    pub(super) call: &'a Call,
    /// What its token says.
    pub(super) claims: &'a Claims,
    /// Whose mailbox it is about.
    pub(super) user: &'a User,
}

/// What a call wants to do with a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Read mail.
    Read,
    /// Change, move, delete mail; write drafts.
    Write,
    /// Send mail.
    Send,
}

/// The claims of the call's token.
pub(super) fn claims(world: &World, call: &Call) -> Result<Claims, Refusal> {
    authenticate(world, call.header("authorization")).map_err(|refusal| {
        Refusal::new(401, refusal.code, refusal.message).with("WWW-Authenticate", refusal.challenge)
    })
}

/// The signed-in user.
pub(super) fn me(world: &World, claims: &Claims) -> Result<User, Refusal> {
    let directory = world.directory.lock();
    directory
        .find(&claims.oid)
        .cloned()
        .ok_or_else(|| not_in_directory(&claims.oid))
}

/// The user a path names by object id, login name, address or alias, in the token's own tenant.
/// `for_mail`: whether the path goes on to the user's mail, which changes the words of the refusal.
pub(super) fn user(
    world: &World,
    claims: &Claims,
    name: &str,
    for_mail: bool,
) -> Result<User, Refusal> {
    let directory = world.directory.lock();
    let found = directory
        .find(name)
        .filter(|user| user.tenant == claims.tid)
        .cloned();
    found.ok_or_else(|| {
        if for_mail {
            let text = format!("The requested user '{name}' is invalid.");
            Refusal::new(404, "ErrorInvalidUser", text)
        } else {
            not_in_directory(name)
        }
    })
}

fn not_in_directory(name: &str) -> Refusal {
    let text = format!(
        "Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    );
    Refusal::new(404, "Request_ResourceNotFound", text)
}

impl Visit<'_> {
    /// Whether the mailbox is the signed-in user's own.
    pub(super) fn is_own(&self) -> bool {
        self.user.oid == self.claims.oid
    }

    /// How the call's path starts, for links and contexts: `users('…')`.
    pub(super) fn owner(&self) -> String {
        format!("users('{}')", self.user.oid)
    }

    /// Whether the token carries one of these permissions.
    pub(super) fn has_scope(&self, wanted: &[&str]) -> bool {
        wanted.iter().any(|scope| self.claims.scp.contains(*scope))
    }

    /// Refuses when the account has no mailbox that Graph can reach.
    pub(super) fn mailbox_exists(&self) -> Result<(), Refusal> {
        let missing = self.world.has(Scenario::MailboxMissing)
            || self.world.mailboxes.lock().get(self.user.mail).is_none();
        if missing {
            let text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
            return Err(Refusal::new(404, "MailboxNotEnabledForRESTAPI", text));
        }
        if self.world.has(Scenario::GraphDenied) {
            return Err(Refusal::denied());
        }
        Ok(())
    }

    /// Refuses when the token or the mailbox's rights do not allow the wish.
    pub(super) fn allow(&self, wish: Wish) -> Result<(), Refusal> {
        let own = self.is_own();
        let scope = match (wish, own) {
            (Wish::Read, true) => self.has_scope(&["Mail.Read", "Mail.ReadWrite"]),
            (Wish::Read, false) => self.has_scope(&["Mail.Read.Shared", "Mail.ReadWrite.Shared"]),
            (Wish::Write, true) => self.has_scope(&["Mail.ReadWrite"]),
            (Wish::Write, false) => self.has_scope(&["Mail.ReadWrite.Shared"]),
            (Wish::Send, true) => self.has_scope(&["Mail.Send"]),
            (Wish::Send, false) => self.has_scope(&["Mail.Send.Shared"]),
        };
        if !scope {
            return Err(Refusal::denied());
        }
        super::obstacles::wish(self, wish)?;
        if own
            || self
                .world
                .directory
                .lock()
                .may_open(&self.claims.oid, self.user.oid)
        {
            return Ok(());
        }
        match wish {
            Wish::Read => Err(Refusal::new(
                404,
                "ErrorItemNotFound",
                "Default folder Root not found.",
            )),
            Wish::Write | Wish::Send => Err(Refusal::denied()),
        }
    }

    /// Reads in the mailbox.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&Mailbox) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.allow(Wish::Read)?;
        self.look(look)
    }

    /// Looks into the mailbox after the caller has judged whether that is allowed.
    pub(super) fn look<T>(
        &self,
        look: impl FnOnce(&Mailbox) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mailboxes = self.world.mailboxes.lock();
        look(mailboxes.get(self.user.mail).ok_or_else(Refusal::gone)?)
    }

    /// Changes the mailbox.
    pub(super) fn write<T>(
        &self,
        edit: impl FnOnce(&mut Mailbox) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.allow(Wish::Write)?;
        let mut mailboxes = self.world.mailboxes.lock();
        edit(
            mailboxes
                .get_mut(self.user.mail)
                .ok_or_else(Refusal::gone)?,
        )
    }

    /// The method, for matching.
    pub(super) fn method(&self) -> &Method {
        &self.call.method
    }
}
