//! Answers that go back to the app by way of the browser.

use super::authority::no_store;
use super::errors::Trace;
use super::pages;
use super::request::{ResponseMode, Return};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

/// Sends parameters (and the `state`) to the redirect URI.
pub(super) fn back(to: &Return, parameters: &[(&str, &str)], trace: &Trace) -> Response {
    let mut all = parameters.to_vec();
    if let Some(state) = &to.state {
        all.push(("state", state));
    }
    if to.mode == ResponseMode::FormPost {
        return pages::auto_post(&to.redirect_uri, &all, trace);
    }
    let Ok(mut url) = url::Url::parse(&to.redirect_uri) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if to.mode == ResponseMode::Fragment {
        let mut text = url::form_urlencoded::Serializer::new(String::new());
        text.extend_pairs(&all);
        url.set_fragment(Some(&text.finish()));
    } else {
        url.query_pairs_mut().extend_pairs(&all);
    }
    let mut response = StatusCode::FOUND.into_response();
    if let Ok(location) = HeaderValue::from_str(url.as_str()) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    no_store(&mut response, trace);
    response
}
