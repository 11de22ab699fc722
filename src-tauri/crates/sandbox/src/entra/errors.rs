//! Refusals in Entra's shape: as JSON, in a redirect, or on the page.
//!
//! Numbers and wording after "Microsoft Entra authentication and authorization error codes".

use super::authority::Caller;
use crate::world::World;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

/// One refusal, before it is known how it travels.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// OAuth error (RFC 6749 section 5.2, or one of Entra's own).
    pub(crate) error: &'static str,
    /// AADSTS number.
    pub(crate) code: u32,
    /// The sentence after the number.
    pub(crate) text: String,
    /// Finer reason, for clients.
    pub(crate) suberror: Option<&'static str>,
    /// Claims challenge (JSON text) to pass on to `/authorize`.
    pub(crate) claims: Option<String>,
}

/// What identifies one exchange in the sign-in logs.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    /// Made by the server.
    pub(crate) trace_id: String,
    /// The client's `client-request-id`, or made by the server.
    pub(crate) correlation_id: String,
    /// The tenant's time.
    pub(crate) at: Timestamp,
}

impl Trace {
    /// For an exchange that happens now.
    pub(crate) fn new(world: &World, caller: &Caller) -> Self {
        Trace {
            trace_id: uuid::Uuid::new_v4().to_string(),
            correlation_id: caller.correlation_id.clone(),
            at: world.now(),
        }
    }

    /// `2024-04-15 18:41:56Z`.
    pub(crate) fn timestamp(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}

impl Refusal {
    /// A refusal without suberror and claims.
    pub(crate) fn new(error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Refusal {
            error,
            code,
            text: text.into(),
            suberror: None,
            claims: None,
        }
    }

    /// Adds the finer reason.
    pub(crate) fn suberror(mut self, suberror: &'static str) -> Self {
        self.suberror = Some(suberror);
        self
    }

    /// Changes the OAuth error: the same number travels under different ones on the two endpoints.
    pub(crate) fn error(mut self, error: &'static str) -> Self {
        self.error = error;
        self
    }

    /// Adds the challenge that a Conditional Access policy sends along.
    pub(crate) fn policy(mut self) -> Self {
        let policy = "d5a3c4a1-6a5e-4c8e-9f0a-c0a705037070";
        self.claims = Some(
            json!({"access_token": {"capolids": {"essential": true, "values": [policy]}}})
                .to_string(),
        );
        self
    }

    /// `error_description`.
    pub(crate) fn description(&self, trace: &Trace) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.code,
            self.text,
            trace.trace_id,
            trace.correlation_id,
            trace.timestamp()
        )
    }

    /// The answer of the token endpoint and of discovery.
    pub(crate) fn json(&self, caller: &Caller, trace: &Trace) -> Response {
        let status = match self.error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            "temporarily_unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_REQUEST,
        };
        let mut body = json!({
            "error": self.error,
            "error_description": self.description(trace),
            "error_codes": [self.code],
            "timestamp": trace.timestamp(),
            "trace_id": trace.trace_id,
            "correlation_id": trace.correlation_id,
            "error_uri": format!("{}/error?code={}", caller.base, self.code),
        });
        if let Some(suberror) = self.suberror {
            body["suberror"] = suberror.into();
        }
        if let Some(claims) = &self.claims {
            body["claims"] = claims.as_str().into();
        }
        let mut response = (status, Json(body)).into_response();
        super::authority::no_store(&mut response, trace);
        response
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Refusal::new("invalid_request", 900_144, text)
    }

    pub(crate) fn malformed() -> Self {
        let text = "Invalid request. Request is malformed or invalid.";
        Refusal::new("invalid_request", 9_002_313, text)
    }

    pub(crate) fn unknown_tenant(name: &str) -> Self {
        Refusal::new(
            "invalid_tenant",
            90_002,
            format!(
                "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
            ),
        )
    }

    pub(crate) fn unknown_app(client_id: &str, tenant: &str) -> Self {
        Refusal::new(
            "unauthorized_client",
            700_016,
            format!(
                "Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
            ),
        )
    }

    pub(crate) fn redirect_mismatch(redirect_uri: &str, client_id: &str) -> Self {
        Refusal::new(
            "invalid_request",
            50_011,
            format!(
                "The redirect URI '{redirect_uri}' specified in the request does not match the redirect URIs configured for the application '{client_id}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal. Navigate to https://aka.ms/redirectUriMismatchError to learn more about how to troubleshoot this error."
            ),
        )
    }

    pub(crate) fn single_tenant(client_id: &str, name: &str) -> Self {
        Refusal::new(
            "invalid_request",
            50_194,
            format!(
                "Application '{client_id}'({name}) is not configured as a multi-tenant application. Usage of the /common endpoint is not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the application to be multi-tenant."
            ),
        )
    }

    pub(crate) fn work_accounts_only(client_id: &str, name: &str) -> Self {
        Refusal::new(
            "invalid_request",
            9_002_332,
            format!(
                "Application '{client_id}'({name}) is configured for use by Azure Active Directory users only. Please do not use the /consumers endpoint to serve this request."
            ),
        )
    }

    pub(crate) fn not_in_tenant(
        upn: &str,
        home: &str,
        tenant: &str,
        app: &str,
        name: &str,
    ) -> Self {
        Refusal::new(
            "invalid_request",
            50_020,
            format!(
                "User account '{upn}' from identity provider 'https://sts.windows.net/{home}/' does not exist in tenant '{tenant}' and cannot access the application '{app}'({name}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account."
            ),
        )
    }

    pub(crate) fn app_disabled(client_id: &str, name: &str) -> Self {
        let text = format!("Application '{client_id}'({name}) is disabled.");
        Refusal::new("unauthorized_client", 7_000_112, text)
    }

    pub(crate) fn not_assigned(client_id: &str, name: &str, upn: &str) -> Self {
        Refusal::new(
            "invalid_grant",
            50_105,
            format!(
                "Your administrator has configured the application {name} ('{client_id}') to block users unless they are specifically granted ('assigned') access to the application. The signed in user '{upn}' is blocked because they are not a direct member of a group with access, nor had access directly assigned by an administrator. Please contact your administrator to assign access to this application."
            ),
        )
    }

    pub(crate) fn second_factor() -> Self {
        Refusal::new(
            "invalid_grant",
            50_076,
            "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
        )
        .suberror("basic_action")
        .policy()
    }

    pub(crate) fn not_consented(client_id: &str, name: &str) -> Self {
        Refusal::new(
            "invalid_grant",
            65_001,
            format!(
                "The user or administrator has not consented to use the application with ID '{client_id}' named '{name}'. Send an interactive authorization request for this user and resource."
            ),
        )
        .suberror("consent_required")
    }

    pub(crate) fn declined() -> Self {
        let text = "User declined to consent to access the app.";
        Refusal::new("access_denied", 65_004, text)
    }
}
