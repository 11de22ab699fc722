//! Graph's JSON, as far as it is read. Unknown members are ignored; what may be missing is optional.

use serde::Deserialize;
use serde_json::Value;

/// A page of a collection.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
    #[serde(rename = "@odata.deltaLink")]
    pub(super) delta_link: Option<String>,
}

/// `message`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) received_date_time: Option<String>,
    pub(super) internet_message_id: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) from: Option<Recipient>,
    pub(super) is_read: Option<bool>,
    pub(super) categories: Option<Vec<String>>,
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Value>,
}

/// `recipient`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Recipient {
    pub(super) email_address: Option<Address>,
}

/// `emailAddress`.
#[derive(Debug, Deserialize)]
pub(super) struct Address {
    pub(super) address: Option<String>,
}

/// The part of a `message` that marking changes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Marks {
    pub(super) is_read: Option<bool>,
    pub(super) categories: Option<Vec<String>>,
    pub(super) parent_folder_id: Option<String>,
}

/// `mailFolder`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MailFolder {
    pub(super) id: String,
    pub(super) display_name: String,
    pub(super) total_item_count: Option<i64>,
    pub(super) child_folder_count: Option<i64>,
}

/// The id of a `mailFolder`.
#[derive(Debug, Deserialize)]
pub(super) struct FolderId {
    pub(super) id: String,
}

/// `user`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    pub(super) id: String,
    pub(super) display_name: Option<String>,
    pub(super) mail: Option<String>,
    pub(super) user_principal_name: Option<String>,
    pub(super) proxy_addresses: Option<Vec<String>>,
}

/// The answer of `$batch`.
#[derive(Debug, Deserialize)]
pub(super) struct BatchAnswer {
    pub(super) responses: Vec<BatchItem>,
}

/// One answer in it.
#[derive(Debug, Deserialize)]
pub(super) struct BatchItem {
    /// A text in the manual; numbers have been seen.
    pub(super) id: Value,
    pub(super) status: u16,
    pub(super) headers: Option<serde_json::Map<String, Value>>,
    pub(super) body: Option<Value>,
}

/// An error body ("Microsoft Graph error responses and resource types").
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorAnswer {
    pub(super) error: ErrorBody,
}

/// `error` in it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    pub(super) code: Option<String>,
    #[serde(rename = "innerError", alias = "innererror")]
    pub(super) inner: Option<InnerError>,
}

/// `innerError` in it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct InnerError {
    #[serde(rename = "request-id")]
    pub(super) request_id: Option<String>,
    #[serde(rename = "client-request-id")]
    pub(super) client_request_id: Option<String>,
}
