//! Lists of messages, page by page.

use bytes::Bytes;
use serde_json::{Map, Value};

use super::resource::{PROPERTIES, TYPE, View};
use crate::graph::access::Visit;
use crate::graph::answer::{Answer, Refusal};
use crate::graph::query::{Options, next_link};
use crate::graph::{filter, mail_folders};
use crate::tenant::mailboxes::Mailbox;
use crate::tenant::mailboxes::ids::FolderKey;
use crate::tenant::mailboxes::message::Message;

/// What `$top` is when it is not given ("List messages").
const PAGE: usize = 10;

/// `GET …/messages`.
pub(super) fn list(visit: &Visit<'_>, folder: Option<&str>) -> Result<Answer, Refusal> {
    let call = visit.call;
    let allowed = [
        "top", "skip", "count", "select", "filter", "orderby", "expand",
    ];
    let options = Options::read(call, &allowed, TYPE, &PROPERTIES)?;
    let newest_first = filter::newest_first(options.order.as_deref(), &options.filter)?;
    let top = options.top.unwrap_or(PAGE);
    let view = View::new(call, &options);
    visit.read(|mailbox| {
        let key = folder
            .map(|name| mail_folders::find(mailbox, name))
            .transpose()?
            .map(|f| f.key);
        let chosen = chosen(mailbox, key, &options, newest_first);
        let page: Vec<&Message> = chosen.skip(options.skip).take(top + 1).collect();
        let value: Vec<Value> = page
            .iter()
            .take(top)
            .map(|message| view.message(mailbox, message))
            .collect();
        let place = folder.map_or(String::new(), |name| format!("/mailFolders('{name}')"));
        let list = options
            .select
            .as_ref()
            .map_or(String::new(), |names| format!("({})", names.join(",")));
        let mut body = Map::new();
        let context = format!(
            "{}/v1.0/$metadata#{}{place}/messages{list}",
            call.root,
            visit.owner()
        );
        body.insert("@odata.context".into(), context.into());
        if options.count {
            body.insert("@odata.count".into(), total(mailbox, key, &options).into());
        }
        if page.len() > top {
            body.insert(
                "@odata.nextLink".into(),
                next_link(call, options.skip + top).into(),
            );
        }
        body.insert("value".into(), value.into());
        Ok(Answer::json(Value::Object(body)))
    })
}

/// `GET …/messages/$count`: a bare number.
pub(super) fn count(visit: &Visit<'_>, folder: Option<&str>) -> Result<Answer, Refusal> {
    let options = Options::read(visit.call, &["filter"], TYPE, &PROPERTIES)?;
    visit.read(|mailbox| {
        let key = folder
            .map(|name| mail_folders::find(mailbox, name))
            .transpose()?
            .map(|f| f.key);
        let number = total(mailbox, key, &options).to_string();
        Ok(Answer::raw("text/plain", Bytes::from(number)))
    })
}

fn total(mailbox: &Mailbox, folder: Option<FolderKey>, options: &Options) -> usize {
    if options.filter.is_empty() {
        return match folder {
            Some(key) => mailbox.folder(key).map_or(0, |folder| folder.by_time.len()),
            None => mailbox.len(),
        };
    }
    chosen(mailbox, folder, options, true).count()
}

/// The messages that pass the filter, in order. Bodies are not touched, only the index by time.
fn chosen<'m>(
    mailbox: &'m Mailbox,
    folder: Option<FolderKey>,
    options: &'m Options,
    newest_first: bool,
) -> Box<dyn Iterator<Item = &'m Message> + 'm> {
    let accepts = |message: &&Message| options.filter.iter().all(|clause| clause.accepts(message));
    if let Some(id) = options.filter.iter().find_map(|clause| clause.message_id()) {
        let here = move |message: &&Message| folder.is_none_or(|key| message.folder == key);
        return Box::new(mailbox.with_message_id(id).filter(here).filter(accepts));
    }
    let index = match folder {
        Some(key) => mailbox.folder(key).map(|folder| &folder.by_time),
        None => Some(mailbox.by_time()),
    };
    let (Some(index), Some(span)) = (index, filter::span(&options.filter)) else {
        return Box::new(std::iter::empty());
    };
    let range = index.range(span);
    let look = |(_, key): &(jiff::Timestamp, u64)| mailbox.message(*key);
    if newest_first {
        Box::new(range.rev().filter_map(look).filter(accepts))
    } else {
        Box::new(range.filter_map(look).filter(accepts))
    }
}
