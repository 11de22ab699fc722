//! The limits of the Outlook service: four requests at a time for one mailbox ("Microsoft Graph
//! service-specific throttling limits", Outlook), and the scenario `throttled`.

use std::sync::Arc;

use super::answer::Refusal;
use super::call::Call;
use crate::scenarios::Scenario;
use crate::world::World;

/// Requests at once for one app and mailbox.
const AT_ONCE: u32 = 4;
/// In the scenarios `throttled` and `mailbox-concurrency` every so-manyth request is refused.
const EVERY: u64 = 3;

/// A request of a batch being worked on; ends when dropped.
pub(super) struct Flight {
    world: Arc<World>,
    mailbox: Option<String>,
}

/// Lets a request in, or refuses it with 429. Requests from the network are counted by the server's log,
/// those inside a batch here.
pub(super) fn enter(world: &Arc<World>, call: &Call, mailbox: &str) -> Result<Flight, Refusal> {
    let throttled = world.has(Scenario::Throttled);
    let concurrency = world.has(Scenario::MailboxConcurrency);
    let mut flight = Flight {
        world: Arc::clone(world),
        mailbox: None,
    };
    let inside = {
        let mut mailboxes = world.mailboxes.lock();
        mailboxes.requests += 1;
        if throttled && mailboxes.requests.is_multiple_of(EVERY) {
            let text = "Too many requests. Please try again later.";
            return Err(Refusal::new(429, "TooManyRequests", text).with("Retry-After", "2"));
        }
        if concurrency && mailboxes.requests.is_multiple_of(EVERY) {
            return Err(over_concurrency());
        }
        let inside = mailboxes.in_flight.entry(mailbox.to_owned()).or_default();
        if call.in_batch {
            *inside += 1;
            flight.mailbox = Some(mailbox.to_owned());
        }
        *inside
    };
    let outside = world
        .log
        .lock()
        .flights()
        .get(mailbox)
        .map_or(0, |flight| flight.in_flight);
    if inside + outside > AT_ONCE {
        return Err(over_concurrency());
    }
    Ok(flight)
}

fn over_concurrency() -> Refusal {
    let text = "Application is over its MailboxConcurrency limit.";
    Refusal::new(429, "ApplicationThrottled", text).with("Retry-After", "1")
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let Some(mailbox) = &self.mailbox
            && let Some(count) = self.world.mailboxes.lock().in_flight.get_mut(mailbox)
        {
            *count = count.saturating_sub(1);
        }
    }
}
