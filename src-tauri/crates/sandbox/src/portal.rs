//! Answers that do not come from Microsoft at all: a captive portal's page, a gateway's, a proxy's.

use crate::scenarios::Scenario;
use crate::world::World;
use axum::response::{Html, IntoResponse, Response};
use http::StatusCode;

/// What the portal of a hotel's network answers, with 200, to whatever is asked.
pub(crate) const PORTAL: &str = "<!DOCTYPE html>\n<html><head><title>Welcome to the guest network</title></head><body><h1>Welcome</h1><p>Please accept the terms of use to go online.</p><form method=\"post\" action=\"/accept\"><button>Accept</button></form></body></html>\n";

/// A gateway's own page for one of its statuses.
pub(crate) fn gateway(status: u16) -> String {
    let reason = match status {
        502 => "502 Bad Gateway",
        504 => "504 Gateway Time-out",
        _ => "503 Service Unavailable",
    };
    format!(
        "<html>\r\n<head><title>{reason}</title></head>\r\n<body>\r\n<center><h1>{reason}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
}

/// The page that a client of the token endpoint gets instead of JSON, if a scenario wants that.
pub(crate) fn instead_of_token(world: &World) -> Option<Response> {
    if world.has(Scenario::HtmlInsteadOfJson) {
        return Some(Html(PORTAL).into_response());
    }
    if world.has(Scenario::TokenEndpointDown) {
        let page = (StatusCode::SERVICE_UNAVAILABLE, Html(gateway(503)));
        return Some(page.into_response());
    }
    None
}
