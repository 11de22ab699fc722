//! What can be made to go wrong, by name.
//!
//! Scenarios that strike once when switched on (`consent-required`, `token-revoked`, `refresh-expired`)
//! also strike the first sign-in of each account while they are on; signing in again mends it, as it does
//! in reality.

macro_rules! scenarios {
    ($($variant:ident = $name:literal, $what:literal;)+) => {
        /// A fault or circumstance that can be switched on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
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
        }
    };
}

scenarios! {
    ConsentRequired = "consent-required", "Consent given to the app is withdrawn: refreshing fails with AADSTS65001 until somebody signs in and accepts again.";
    AdminApproval = "admin-approval", "Users may not consent: they see \"Need admin approval\" (AADSTS90094).";
    ApprovalRequest = "approval-request", "Users may not consent but can ask the administrator with a reason (AADSTS90095).";
    WrongAccount = "wrong-account", "The browser already has a session of Alex, so that sign-in silently picks the wrong account.";
    MfaRequired = "mfa-required", "Signing in takes a second factor; tokens from before are refused with AADSTS50076.";
    ConditionalAccess = "conditional-access", "A Conditional Access policy blocks every sign-in and refresh (AADSTS53003).";
    UserNotAssigned = "user-not-assigned", "The app requires assignment and nobody is assigned (AADSTS50105).";
    AppDisabled = "app-disabled", "The administrator has disabled the app (AADSTS7000112).";
    TokenRevoked = "token-revoked", "Refresh tokens are revoked, as after a password change (AADSTS50173).";
    RefreshExpired = "refresh-expired", "Refresh tokens have expired after 90 idle days (AADSTS700082).";
    Throttled = "throttled", "Graph answers 429 with Retry-After again and again.";
    DeltaExpired = "delta-expired", "Delta tokens of Graph expire: 410 with syncStateNotFound.";
    ServiceDown = "service-down", "Graph and the token endpoint answer 503.";
    Slow = "slow", "Every answer takes two seconds longer.";
    MalformedJson = "malformed-json", "Graph breaks off its JSON in the middle.";
    ForeignNextLink = "foreign-next-link", "Graph's next links point to another host.";
    GraphDenied = "graph-denied", "Graph refuses the mailbox with 403 ErrorAccessDenied.";
    MailboxMissing = "mailbox-missing", "The account has no mailbox: 404 MailboxNotEnabledForRESTAPI.";
    ClockSkew = "clock-skew", "The tenant's clock is fifteen minutes ahead of this computer's.";
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
