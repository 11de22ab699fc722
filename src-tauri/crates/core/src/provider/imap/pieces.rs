//! One message may be what breaks an answer, or the line, each time it is asked for. Then smaller and smaller parts are
//! asked for until it stands alone, and all others can be had.

use super::bodies::{Had, bodies};
use super::listing::{self, Undated};
use super::place::MessageId;
use super::session::protocol;
use super::{ImapMailbox, is_dead_line, is_expired_token, with_session};
use crate::provider::{ProviderError, RemoteMessage};
use std::collections::{BTreeMap, BTreeSet};

/// Broken answers that are borne before the first whole one: as many as it takes from a page to a single message.
const MOST_IN_VAIN: u32 = 10;
/// Broken answers that are borne in all. Each may cost a sign-in.
const MOST_BROKEN: u32 = 24;

/// What is asked for, in parts.
struct Pieces<I> {
    open: Vec<Vec<I>>,
    broken: u32,
    any_whole: bool,
    /// A line may drop by accident: what breaks it alone is asked for twice.
    again: BTreeSet<I>,
    /// What broke the answer, or was not asked for alone because too much else did.
    odd: Vec<(I, ProviderError)>,
}

impl<I: Clone + Ord> Pieces<I> {
    fn of(all: &[I]) -> Self {
        Self {
            open: vec![all.to_vec()],
            broken: 0,
            any_whole: false,
            again: BTreeSet::new(),
            odd: Vec::new(),
        }
    }

    /// What to ask for next.
    fn next(&mut self) -> Option<Vec<I>> {
        self.open.pop().filter(|part| !part.is_empty())
    }

    /// The answer to a part was whole.
    fn whole(&mut self) {
        self.any_whole = true;
    }

    /// The answer to `part` broke off by `error`, which may be about a single message.
    ///
    /// # Errors
    /// `error`, where nothing speaks for that.
    fn broke(&mut self, part: Vec<I>, error: ProviderError) -> Result<(), ProviderError> {
        self.broken += 1;
        if self.broken >= MOST_IN_VAIN && !self.any_whole {
            return Err(error);
        }
        if self.broken >= MOST_BROKEN {
            let rest = std::mem::take(&mut self.open).into_iter().flatten();
            let rest = part.into_iter().chain(rest);
            self.odd.extend(rest.map(|item| (item, error.clone())));
            return Ok(());
        }
        match part.as_slice() {
            [one] => {
                let dropped = is_dead_line(&error);
                if dropped && self.again.insert(one.clone()) {
                    self.open.push(part);
                } else {
                    self.odd.push((one.clone(), error));
                }
            }
            _ => self.halve(&part),
        }
        Ok(())
    }

    fn halve(&mut self, part: &[I]) {
        let (front, back) = part.split_at(part.len() / 2);
        self.open.push(back.to_vec());
        self.open.push(front.to_vec());
    }
}

impl Pieces<MessageId> {
    /// Takes the answer to `part`. What it leaves out may come once it is asked for again, with less beside it; what is
    /// decided is given back.
    fn had(&mut self, part: &[MessageId], mut some: Had) -> Had {
        let is_out =
            |result: &Result<_, ProviderError>| matches!(result, Err(error) if error.is_left_out());
        let out = some.iter().filter(|(_, result)| is_out(result));
        let out: Vec<MessageId> = out.map(|(id, _)| id.clone()).collect();
        self.any_whole |= out.len() < part.len();
        if out.is_empty() || self.broken >= MOST_BROKEN {
            return some;
        }
        self.broken += 1;
        match out.as_slice() {
            [one] if part.len() > 1 || self.again.insert(one.clone()) => self.open.push(out),
            [_] => return some,
            _ if out.len() < part.len() => self.open.push(out),
            _ => self.halve(&out),
        }
        some.retain(|_, result| !is_out(result));
        some
    }
}

impl ImapMailbox {
    /// Messages as a listing shows them. What the server says is gone is left out, and nothing else.
    pub(super) async fn list(
        &self,
        folder: &str,
        validity: u32,
        uids: &[u32],
        undated: Undated,
    ) -> Result<BTreeMap<u32, RemoteMessage>, ProviderError> {
        let mut all = BTreeMap::new();
        let mut pieces = Pieces::of(uids);
        while let Some(part) = pieces.next() {
            match self.list_part(folder, validity, &part, undated).await {
                Ok(some) => {
                    pieces.whole();
                    all.extend(some);
                }
                Err(error) => {
                    let error = self.about_a_message(folder, error).await?;
                    let broke = pieces.broke(part, error);
                    broke.map_err(|error| odd(error, false))?;
                }
            }
        }
        for (uid, _) in pieces.odd {
            all.insert(uid, listing::bare(folder, validity, uid, undated));
        }
        Ok(all)
    }

    async fn list_part(
        &self,
        folder: &str,
        validity: u32,
        uids: &[u32],
        undated: Undated,
    ) -> Result<BTreeMap<u32, RemoteMessage>, ProviderError> {
        with_session!(self, session => listing::list(session, folder, validity, uids, undated))
    }

    /// Whole messages of one folder.
    pub(super) async fn fetch_from(&self, folder: &str, ids: &[MessageId]) -> Had {
        let mut had = Had::new();
        let mut pieces = Pieces::of(ids);
        while let Some(part) = pieces.next() {
            let broken = match self.fetch_group(folder, &part).await {
                Ok(some) => {
                    had.extend(pieces.had(&part, some));
                    Ok(())
                }
                Err(error) => match self.about_a_message(folder, error).await {
                    Ok(error) => pieces.broke(part, error).map_err(|error| odd(error, false)),
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = broken {
                for id in ids {
                    had.entry(id.clone()).or_insert_with(|| Err(error.clone()));
                }
                return had;
            }
        }
        for (id, error) in pieces.odd {
            had.insert(id, Err(odd(error, pieces.any_whole)));
        }
        had
    }

    async fn fetch_group(&self, folder: &str, ids: &[MessageId]) -> Result<Had, ProviderError> {
        with_session!(self, session => bodies(session, folder, ids))
    }

    /// Gives `error` back if it may be about a single message: the server is there and opens the folder.
    ///
    /// # Errors
    /// What stands against the folder as a whole.
    async fn about_a_message(
        &self,
        folder: &str,
        error: ProviderError,
    ) -> Result<ProviderError, ProviderError> {
        match &error {
            ProviderError::Protocol(..) if !error.is_no_room() => {}
            ProviderError::Offline(_) => {}
            // Exchange's "Server Unavailable. 15" and "BYE Connection is closed. 13" may be about a single message.
            ProviderError::Server(_) if !is_expired_token(&error) => {}
            _ => return Err(error),
        }
        match self.opens(folder).await {
            Ok(()) => Ok(error),
            Err(other) => Err(other),
        }
    }

    async fn opens(&self, folder: &str) -> Result<(), ProviderError> {
        with_session!(self, session => session.select(folder))?;
        Ok(())
    }
}

/// What it means that a message breaks the answer. Where others can be had, it is that message's own matter; otherwise
/// the server may have trouble with all of them, although it is there.
fn odd(error: ProviderError, any_whole: bool) -> ProviderError {
    let evidence = error.evidence().cloned().unwrap_or_default();
    match (any_whole, error) {
        (true, _) => ProviderError::unreadable(evidence),
        (false, ProviderError::Offline(evidence)) => ProviderError::Server(evidence),
        (false, error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Evidence;

    /// Asks a server on which every answer with one of `bad` in it breaks.
    fn ask(all: u32, bad: &[u32], error: &ProviderError) -> (Vec<u32>, Vec<u32>, u32, bool) {
        let all: Vec<u32> = (1..=all).collect();
        let mut pieces = Pieces::of(&all);
        let (mut had, mut asked) = (Vec::new(), 0);
        let mut in_vain = false;
        while let Some(part) = pieces.next() {
            asked += 1;
            if !part.iter().any(|uid| bad.contains(uid)) {
                had.extend(part);
                pieces.whole();
            } else if pieces.broke(part, error.clone()).is_err() {
                in_vain = true;
                break;
            }
        }
        let odd = pieces.odd.into_iter().map(|(uid, _)| uid).collect();
        (had, odd, asked, in_vain)
    }

    #[test]
    fn the_odd_ones_are_found_and_all_others_had() {
        for error in [
            protocol("not_imap"),
            ProviderError::Offline(Evidence::default()),
        ] {
            for bad in [1, 2, 100, 249, 250] {
                let (had, odd, asked, in_vain) = ask(250, &[bad], &error);
                assert_eq!((had.len(), odd, in_vain), (249, vec![bad], false));
                assert!(asked < 20, "{asked}");
            }
            let (had, odd, ..) = ask(50, &[7, 8], &error);
            assert_eq!((had.len(), odd), (48, vec![7, 8]));
        }
    }

    #[test]
    fn a_server_that_breaks_everything_is_left_soon() {
        let every: Vec<u32> = (1..=250).collect();
        let error = protocol("not_imap");
        let (had, _, asked, in_vain) = ask(250, &every, &error);
        assert!(had.is_empty() && in_vain || asked <= MOST_BROKEN, "{asked}");
        // Where something can be had, what is not looked into counts as odd and is not lost sight of.
        let (had, odd, asked, in_vain) = ask(250, every.get(1..).unwrap(), &error);
        assert_eq!(had.len() + odd.len(), 250);
        assert!(!in_vain && asked <= MOST_BROKEN + 2, "{asked}");
    }
}
