//! How full a mailbox is (RFC 2087; RFC 9208, where each kind of limit has a capability of its own).

use super::name::quoted;
use super::session::{Session, protocol};
use crate::provider::{ProviderError, Quota};
use imap_proto::Response;
use imap_proto::rfc2087::QuotaResourceName;

/// The limit of `folder` that is nearest; nothing where the server tells of none.
pub(super) async fn nearest(
    session: &mut Session,
    folder: &str,
) -> Result<Option<Quota>, ProviderError> {
    if !session.can("QUOTA") {
        return Ok(None);
    }
    let name = quoted(folder).ok_or_else(|| protocol("folder_name"))?;
    let mut nearest: Option<Quota> = None;
    let work = session.listing();
    session
        .command(&format!("GETQUOTAROOT {name}"), work, |response, _| {
            let Response::Quota(root) = response else {
                return;
            };
            for resource in &root.resources {
                // Storage counts in units of 1024 bytes, messages one by one; what else a server limits is no mail.
                let is_mail = matches!(
                    resource.name,
                    QuotaResourceName::Storage | QuotaResourceName::Message
                );
                let seen = Quota {
                    used: resource.usage,
                    limit: resource.limit,
                };
                if is_mail && nearest.is_none_or(|known| known.percent() < seen.percent()) {
                    nearest = Some(seen);
                }
            }
        })
        .await?;
    Ok(nearest)
}
