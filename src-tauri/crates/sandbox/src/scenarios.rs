//! What can be made to go wrong, by name.
//!
//! Scenarios that strike once when switched on (`consent-required`, `token-revoked`, `refresh-expired`,
//! `sign-in-frequency` and the like) also strike the first sign-in of each account while they are on; signing
//! in again mends it, as it does in reality. The others last until somebody mends them, on the administrator's
//! pages (`admin`) or by switching the scenario off.

use serde::{Deserialize, Serialize};

macro_rules! scenarios {
    ($($variant:ident = $name:literal, $what:literal, $mend:literal;)+) => {
        /// A fault or circumstance that can be switched on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        pub(crate) enum Scenario {
            $(#[doc = $what] $variant,)+
        }
        impl Scenario {
            /// All of them, in the order people see.
            pub(crate) const ALL: &[Scenario] = &[$(Scenario::$variant,)+];

            /// The name used on the command line.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Scenario::$variant => $name,)+ }
            }

            /// One sentence for people.
            pub(crate) fn description(self) -> &'static str {
                match self { $(Scenario::$variant => $what,)+ }
            }

            /// What mends it, for people.
            pub(crate) fn mend(self) -> &'static str {
                match self { $(Scenario::$variant => $mend,)+ }
            }
        }
    };
}

scenarios! {
    ConsentRequired = "consent-required", "Consent given to the app is withdrawn: refreshing fails with AADSTS65001 until somebody signs in and accepts again.",
        "The person signs in again and accepts, or the administrator grants consent on the page of the application.";
    AdminApproval = "admin-approval", "Users may not consent: they see \"Need admin approval\" (AADSTS90094).",
        "Enterprise applications > Mailroom: grant admin consent.";
    ApprovalRequest = "approval-request", "Users may not consent but can ask the administrator with a reason (AADSTS90095).",
        "Admin consent requests: approve the request.";
    WrongAccount = "wrong-account", "The browser already has a session of Alex, so that sign-in silently picks the wrong account.",
        "The person picks the right account when signing in again.";
    MfaRequired = "mfa-required", "Signing in takes a second factor; tokens from before are refused with AADSTS50076.",
        "The person signs in again with the second factor.";
    ConditionalAccess = "conditional-access", "A Conditional Access policy blocks every sign-in and refresh (AADSTS53003).",
        "Conditional Access: switch the policy \"Block Mailroom\" off.";
    UserNotAssigned = "user-not-assigned", "The app requires assignment and nobody is assigned (AADSTS50105).",
        "Enterprise applications > Mailroom: assign the person, or require no assignment.";
    AppDisabled = "app-disabled", "The administrator has disabled the app (AADSTS7000112).",
        "Enterprise applications > Mailroom: enable it for users to sign in.";
    TokenRevoked = "token-revoked", "Refresh tokens are revoked, as after a password change (AADSTS50173).",
        "The person signs in again.";
    RefreshExpired = "refresh-expired", "Refresh tokens have expired after 90 idle days (AADSTS700082).",
        "The person signs in again.";
    Throttled = "throttled", "Graph answers 429 with Retry-After again and again.",
        "It passes by itself; here somebody switches the scenario off.";
    DeltaExpired = "delta-expired", "Delta tokens of Graph expire: 410 with syncStateNotFound.",
        "The app starts a new round by itself.";
    ServiceDown = "service-down", "Graph and the token endpoint answer 503.",
        "It passes by itself; here somebody switches the scenario off.";
    Slow = "slow", "Every answer takes two seconds longer.",
        "It passes by itself; here somebody switches the scenario off.";
    MalformedJson = "malformed-json", "Graph breaks off its JSON in the middle.",
        "It passes by itself; here somebody switches the scenario off.";
    ForeignNextLink = "foreign-next-link", "Graph's next links point to another host.",
        "It passes by itself; here somebody switches the scenario off.";
    GraphDenied = "graph-denied", "Graph refuses the mailbox with 403 ErrorAccessDenied.",
        "Mailboxes: allow access to mailboxes.";
    MailboxMissing = "mailbox-missing", "The account has no mailbox: 404 MailboxNotEnabledForRESTAPI.",
        "Mailboxes: assign the Exchange licence.";
    ClockSkew = "clock-skew", "The tenant's clock is fifteen minutes ahead of this computer's.",
        "It passes by itself; here somebody switches the scenario off.";
    PlatformWeb = "platform-web", "The redirect address is registered on the platform Web: redeeming a code takes a secret (AADSTS7000218).",
        "App registrations > Mailroom: move the redirect address to Mobile and desktop applications.";
    PublicClientOff = "public-client-off", "Public client flows are not allowed: the token endpoint wants a secret (AADSTS7000218).",
        "App registrations > Mailroom: allow public client flows.";
    SingleTenant = "single-tenant", "The registration is for its own directory only: /common and /organizations are refused (AADSTS50194).",
        "App registrations > Mailroom: support accounts in any organisational directory, or sign in with the tenant's own address.";
    RedirectMissing = "redirect-missing", "No redirect address is registered (AADSTS500113).",
        "App registrations > Mailroom: register http://localhost.";
    RedirectMismatch = "redirect-mismatch", "Another redirect address is registered (AADSTS50011).",
        "App registrations > Mailroom: register http://localhost.";
    AppUnknown = "app-unknown", "The registration is gone from the directory (AADSTS700016).",
        "App registrations > Mailroom: restore the deleted registration.";
    PermissionMissing = "permission-missing", "The registration lists no permission of Microsoft Graph (AADSTS650057).",
        "App registrations > Mailroom: add the API permissions.";
    AppMisconfigured = "app-misconfigured", "The registration's permissions do not fit the request (AADSTS650056).",
        "App registrations > Mailroom: correct the required resources.";
    ResourceMissing = "resource-missing", "The registration asks for a resource that is not available in the tenant (AADSTS65005).",
        "App registrations > Mailroom: remove the unavailable resource.";
    ServicePrincipalMissing = "service-principal-missing", "The organisation lacks the service principal of Microsoft Graph (AADSTS650052).",
        "Enterprise applications > Mailroom: provision the service.";
    ResourcePrincipalMissing = "resource-principal-missing", "The resource principal is not found in the tenant (AADSTS500011).",
        "Enterprise applications > Mailroom: provision the resource.";
    ConsentRevoked = "consent-revoked", "The administrator has revoked the permissions: AADSTS65001 at refresh, and users cannot consent themselves.",
        "Enterprise applications > Mailroom: grant admin consent.";
    ConsentForbidden = "consent-forbidden", "A policy forbids users to consent to these permissions (AADSTS90093).",
        "Enterprise applications > Mailroom: grant admin consent.";
    RiskyApp = "risky-app", "Microsoft judges the app risky, so that only an administrator may consent (AADSTS900941).",
        "Enterprise applications > Mailroom: grant admin consent.";
    ConsentNotRecorded = "consent-not-recorded", "Consent cannot be recorded just now (AADSTS90090), once for each account.",
        "The person tries again.";
    UserDisabled = "user-disabled", "The account's sign-in is blocked (AADSTS50057).",
        "Users: unblock the sign-in.";
    AccountLocked = "account-locked", "The account is locked after too many wrong passwords (AADSTS50053).",
        "Users: unlock the account.";
    PasswordExpired = "password-expired", "The password has expired (AADSTS50055).",
        "Users: reset the password.";
    UserDeleted = "user-deleted", "The account was deleted from the directory (AADSTS50034 at sign-in, AADSTS500341 at refresh).",
        "Users: restore the account.";
    MfaRegistration = "mfa-registration", "The account has to register for a second factor (AADSTS50079).",
        "Users: register the person's second factor.";
    MfaExpired = "mfa-expired", "The second factor of the sign-in is too old (AADSTS50078).",
        "The person signs in again.";
    SignInFrequency = "sign-in-frequency", "The sign-in frequency of a policy has run out (AADSTS70043).",
        "The person signs in again.";
    PasswordChanged = "password-changed", "The password was changed, so that the session is void (AADSTS50133).",
        "The person signs in again.";
    GrantInvalid = "grant-invalid", "The grant is not valid any more (AADSTS70000).",
        "The person signs in again.";
    DeviceRequired = "device-required", "A policy wants a compliant device (AADSTS53000).",
        "Conditional Access: switch the policy off, or exclude Mailroom.";
    DeviceNotJoined = "device-not-joined", "A policy wants a device that is joined to the domain (AADSTS53001).",
        "Conditional Access: switch the policy off, or exclude Mailroom.";
    AppNotApproved = "app-not-approved", "A policy wants an approved client app (AADSTS53002).",
        "Conditional Access: switch the policy off, or exclude Mailroom.";
    LocationBlocked = "location-blocked", "A policy blocks sign-ins from this location (AADSTS53003).",
        "Conditional Access: switch the policy off, or name the location trusted.";
    SecurityDefaults = "security-defaults", "Security defaults block the sign-in (AADSTS530035).",
        "Conditional Access: set the security defaults right.";
    RegistrationBlocked = "registration-blocked", "Registering a second factor is blocked from here because of risk (AADSTS53004).",
        "Conditional Access: allow the registration.";
    TermsOfUse = "terms-of-use", "A policy wants an answer from outside, such as terms of use (AADSTS50158).",
        "Conditional Access: switch the policy off.";
    TenantRestricted = "tenant-restricted", "Tenant restrictions of the network block this tenant (AADSTS500021).",
        "Conditional Access: allow the tenant in the network's tenant restrictions.";
    CrossTenantBlocked = "cross-tenant-blocked", "The cross-tenant access settings block the account (AADSTS500213).",
        "Conditional Access: allow inbound access.";
    GuestRequired = "guest-required", "The account does not exist in the tenant and would have to be a guest (AADSTS50020).",
        "Conditional Access: invite the account as a guest.";
    TemporarilyUnavailable = "temporarily-unavailable", "The token endpoint answers with a passing error (AADSTS90033).",
        "It passes by itself; here somebody switches the scenario off.";
    TokenEndpointDown = "token-endpoint-down", "The token endpoint answers 503 with a page of HTML.",
        "It passes by itself; here somebody switches the scenario off.";
    GraphAccessPolicy = "graph-access-policy", "The organisation's access policy keeps the app out: 403 \"Access to OData is disabled\".",
        "Mailboxes: allow the app in the access policy.";
    QuotaFull = "quota-full", "The mailbox is full: writing and sending fail with ErrorQuotaExceeded.",
        "Mailboxes: raise the quota, or free space.";
    MailboxOnPremises = "mailbox-on-premises", "The mailbox is on a server in the house: MailboxNotHostedInExchangeOnline.",
        "Mailboxes: move the mailbox to Exchange Online.";
    MailboxUnsupported = "mailbox-unsupported", "Graph does not serve this kind of mailbox: MailboxNotSupportedForRESTAPI.",
        "Mailboxes: convert the mailbox.";
    MailboxConcurrency = "mailbox-concurrency", "Graph says again and again that the app is over its MailboxConcurrency limit (429).",
        "It passes by itself; here somebody switches the scenario off.";
    ClaimsChallenge = "claims-challenge", "Graph wants a sign-in that meets a policy: 401 insufficient_claims until somebody signs in with those claims.",
        "The person signs in again with the claims of the challenge, or the administrator switches the policy off (Conditional Access).";
    FullAccessMissing = "full-access-missing", "Nobody has Full Access to the shared mailboxes: 404 \"Default folder Root not found\".",
        "Mailboxes: grant Full Access.";
    SendAsDenied = "send-as-denied", "Nobody has Send As on the shared mailboxes: ErrorSendAsDenied.",
        "Mailboxes: grant Send As.";
    SubmissionBlocked = "submission-blocked", "The sender is restricted: ErrorMessageSubmissionBlocked.",
        "Mailboxes: take the sender off the restricted entities.";
    MessageTooLarge = "message-too-large", "Every message is larger than the mailbox allows: ErrorMessageSizeExceeded.",
        "Mailboxes: raise the largest size of a message.";
    FolderGone = "folder-gone", "Folders known by their id are gone: 404 ErrorFolderNotFound.",
        "Mailboxes: restore the folder, or choose another one.";
    IdsStale = "ids-stale", "Ids of folders and messages are of no use any more: 400 ErrorInvalidIdMalformed.",
        "It passes by itself; here somebody switches the scenario off.";
    HtmlInsteadOfJson = "html-instead-of-json", "A captive portal answers Graph and the token endpoint with a page of HTML.",
        "It passes by itself; here somebody switches the scenario off.";
    GatewayErrors = "gateway-errors", "Graph answers 502 and 504 in turn.",
        "It passes by itself; here somebody switches the scenario off.";
    SyncStateNotFound = "sync-state-not-found", "Delta tokens are not known any more: 410 resyncRequired without saying where to begin.",
        "It passes by itself; here somebody switches the scenario off.";
}

impl Scenario {
    /// Finds a scenario by its name.
    pub(crate) fn from_name(name: &str) -> Option<Scenario> {
        Scenario::ALL.iter().copied().find(|s| s.name() == name)
    }
}

/// Every scenario with its name and one sentence about it.
pub fn scenario_names() -> Vec<(&'static str, &'static str)> {
    Scenario::ALL
        .iter()
        .map(|s| (s.name(), s.description()))
        .collect()
}
