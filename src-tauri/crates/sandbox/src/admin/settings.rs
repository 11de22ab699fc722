//! The switches of the administrator's pages. Each stands for a scenario: in its healthy position the scenario is off.

use crate::scenarios::Scenario;

/// One of the administrator's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Page {
    /// Requests for approval.
    Requests,
    /// The service principal in this tenant.
    Application,
    /// The registration of the app.
    Registration,
    /// Exchange: delegation and the state of the mailboxes.
    Mailboxes,
    /// IMAP and authenticated SMTP.
    MailApps,
    /// Policies.
    Access,
    /// Accounts.
    Users,
}

impl Page {
    /// All of them, in the order of the navigation.
    pub(super) const ALL: [Page; 7] = [
        Page::Requests,
        Page::Application,
        Page::Registration,
        Page::Mailboxes,
        Page::MailApps,
        Page::Access,
        Page::Users,
    ];

    /// Its path on this server.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Page::Requests => "/admin/requests",
            Page::Application => "/admin/application",
            Page::Registration => "/admin/registration",
            Page::Mailboxes => "/admin/mailboxes",
            Page::MailApps => "/admin/mail-apps",
            Page::Access => "/admin/access",
            Page::Users => "/admin/users",
        }
    }

    /// What the navigation calls it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Page::Requests => "Admin consent requests",
            Page::Application => "Enterprise applications › Mailroom",
            Page::Registration => "App registrations › Mailroom",
            Page::Mailboxes => "Mailboxes › Delegation",
            Page::MailApps => "Manage email apps",
            Page::Access => "Conditional Access",
            Page::Users => "Users",
        }
    }
}

/// A switch.
#[derive(Debug)]
pub(super) struct Setting {
    /// On when the switch is in its broken position.
    pub(super) scenario: Scenario,
    /// Where it stands.
    pub(super) page: Page,
    /// What it is called.
    pub(super) label: &'static str,
    /// The healthy position.
    pub(super) healthy: &'static str,
    /// The broken position.
    pub(super) broken: &'static str,
}

macro_rules! settings {
    ($($page:ident $scenario:ident $label:literal $healthy:literal $broken:literal;)+) => {
        /// All switches, in the order people see.
        pub(super) const SETTINGS: &[Setting] = &[$(Setting {
            scenario: Scenario::$scenario, page: Page::$page, label: $label, healthy: $healthy, broken: $broken,
        },)+];
    };
}

settings! {
    Application AppDisabled "Enabled for users to sign in?" "Yes" "No";
    Application UserNotAssigned "Assignment required?" "No" "Yes";
    Application ServicePrincipalMissing "Service Microsoft Graph in this organisation" "Provisioned" "Missing";
    Application ResourcePrincipalMissing "Resource https://graph.microsoft.com" "Found" "Missing";
    Application AdminApproval "Users may consent to apps" "Yes" "No";
    Application ApprovalRequest "Users who may not consent ask an administrator" "Not needed" "Yes";
    Application ConsentForbidden "Policy on user consent" "Allows Mailroom" "Forbids Mailroom";
    Application RiskyApp "Risk-based step-up consent" "Not for Mailroom" "Mailroom is judged risky";
    Registration AppUnknown "Registration" "Present" "Deleted";
    Registration PlatformWeb "Platform of http://localhost" "Mobile and desktop applications" "Web";
    Registration PublicClientOff "Allow public client flows" "Yes" "No";
    Registration SingleTenant "Supported account types" "Any organisational directory" "This directory only";
    Registration RedirectMissing "Redirect URIs" "http://localhost" "None";
    Registration RedirectMismatch "Registered redirect URI" "http://localhost" "https://mailroom.contoso.example/signin";
    Registration PermissionMissing "API permissions of Microsoft Graph" "Listed" "None listed";
    Registration AppMisconfigured "Required resources" "As requested" "Not as requested";
    Registration ResourceMissing "Resources asked for" "All available" "One is not available";
    Mailboxes GraphDenied "Access to mailboxes" "Allowed" "Denied";
    Mailboxes MailboxMissing "Exchange licence" "Assigned" "None";
    Mailboxes GraphAccessPolicy "Application access policy (EwsApplicationAccessPolicy)" "Allows Mailroom" "Blocks Mailroom";
    Mailboxes QuotaFull "Storage" "Enough space" "Full";
    Mailboxes MailboxOnPremises "Mailboxes are hosted" "In Exchange Online" "On a server in the house";
    Mailboxes MailboxUnsupported "Type of mailbox" "Supported by Graph" "Not supported by Graph";
    Mailboxes SubmissionBlocked "Restricted entities" "None" "The sender is restricted";
    Mailboxes MessageTooLarge "Largest size of a message" "150 MB" "1 KB";
    Mailboxes FolderGone "Folders" "Present" "Deleted";
    Access ConditionalAccess "Policy: Block Mailroom" "Off" "On";
    Access LocationBlocked "Policy: Block sign-ins from here" "Off" "On";
    Access MfaRequired "Policy: Require multifactor authentication" "Off" "On";
    Access DeviceRequired "Policy: Require a compliant device" "Off" "On";
    Access DeviceNotJoined "Policy: Require a joined device" "Off" "On";
    Access AppNotApproved "Policy: Require an approved client app" "Off" "On";
    Access ClaimsChallenge "Policy: Require a fresh sign-in for mail" "Off" "On";
    Access TermsOfUse "Policy: Terms of use" "Off" "On";
    Access SecurityDefaults "Security defaults" "Let Mailroom in" "Block Mailroom";
    Access RegistrationBlocked "Registering a second factor from here" "Allowed" "Blocked";
    Access TenantRestricted "Tenant restrictions of the network" "Contoso is allowed" "Contoso is denied";
    Access CrossTenantBlocked "Cross-tenant access, inbound" "Allowed" "Blocked";
    Access GuestRequired "External accounts" "Invited" "Not invited";
    Users UserDisabled "Block sign-in of everybody" "No" "Yes";
    Users AccountLocked "Accounts are locked" "No" "Yes";
    Users PasswordExpired "Passwords have expired" "No" "Yes";
    Users UserDeleted "Accounts are deleted" "No" "Yes";
    Users MfaRegistration "Registration of a second factor" "Done" "Missing";
}

/// The switch of a scenario.
pub(super) fn setting(scenario: Scenario) -> Option<&'static Setting> {
    SETTINGS.iter().find(|s| s.scenario == scenario)
}

/// Where an administrator mends something.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The path of the page.
    pub(crate) path: &'static str,
    /// What it is called.
    pub(crate) title: &'static str,
    /// The switch on it and its healthy position, where it is a switch.
    pub(crate) switch: Option<(&'static str, &'static str)>,
}

/// The path of the page on which an administrator mends a scenario.
pub(crate) fn page_of(scenario: Scenario) -> Option<&'static str> {
    place_of(scenario).map(|place| place.path)
}

/// Where an administrator mends a scenario, if one can.
pub(crate) fn place_of(scenario: Scenario) -> Option<Place> {
    let elsewhere = [
        (Scenario::ApprovalRequest, Page::Requests),
        (Scenario::ConsentRevoked, Page::Application),
        (Scenario::ConsentRequired, Page::Application),
        (Scenario::FullAccessMissing, Page::Mailboxes),
        (Scenario::SendAsDenied, Page::Mailboxes),
    ];
    let found = elsewhere.into_iter().find(|(s, _)| *s == scenario);
    let setting = setting(scenario);
    let page = match found {
        Some((_, page)) => page,
        None => setting?.page,
    };
    Some(Place {
        path: page.path(),
        title: page.title(),
        switch: setting.map(|setting| (setting.label, setting.healthy)),
    })
}
