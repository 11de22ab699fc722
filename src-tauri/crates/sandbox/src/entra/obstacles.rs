//! What stands between an account that has proved itself and its tokens: policies, the state of the account,
//! of the app and of the tenant. Numbers and wording after "Microsoft Entra authentication and authorization
//! error codes".

use super::authority::Authority;
use super::errors::Refusal;
use crate::scenarios::Scenario;
use crate::tenant::directory::{MAILROOM, Platform, Registration, User, UserKind};
use crate::world::World;
use std::collections::BTreeSet;

/// How a refusal reaches the browser. The token endpoint answers all of them as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// On Entra's own page, where the person is left.
    Page,
    /// In the redirect to the app.
    Back,
}

struct Obstacle {
    scenario: Scenario,
    way: Way,
    error: &'static str,
    code: u32,
    suberror: Option<&'static str>,
    policy: bool,
    /// `{id}`, `{app}`, `{upn}` and `{tenant}` stand for the real ones.
    text: &'static str,
}

macro_rules! obstacles {
    ($($scenario:ident $way:ident $error:literal $code:literal $suberror:expr, $policy:literal $text:literal;)+) => {
        &[$(Obstacle {
            scenario: Scenario::$scenario, way: Way::$way, error: $error, code: $code, suberror: $suberror,
            policy: $policy, text: $text,
        },)+]
    };
}

/// In the order in which they are met.
const OBSTACLES: &[Obstacle] = obstacles! {
    TenantRestricted Page "access_denied" 500_021 None, false "Access to '{tenant}' tenant is denied. Your network administrator restricts which organizations can be accessed.";
    CrossTenantBlocked Page "access_denied" 500_213 None, false "The resource tenant's cross-tenant access policy does not allow this user to access this tenant.";
    GuestRequired Page "invalid_request" 50_020 None, false "User account '{upn}' from identity provider 'live.com' does not exist in tenant '{tenant}' and cannot access the application '{id}'({app}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Azure Active Directory user account.";
    ServicePrincipalMissing Back "invalid_client" 650_052 None, false "The app is trying to access a service '00000003-0000-0000-c000-000000000000'(Microsoft Graph) that your organization '{tenant}' lacks a service principal for. Contact your IT Admin to review the configuration of your service subscriptions or consent to the application in order to create the required service principal.";
    ResourcePrincipalMissing Back "invalid_resource" 500_011 None, false "The resource principal named https://graph.microsoft.com was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.";
    ResourceMissing Page "invalid_resource" 65_005 None, false "The application '{app}' asked for permissions to access a resource that has been removed or is no longer available. Contact the app vendor.";
    AppMisconfigured Page "invalid_client" 650_056 None, false "Misconfigured application. This could be due to one of the following: the client has not listed any permissions for 'Microsoft Graph' in the requested permissions in the client's application registration. Or, the admin has not consented in the tenant. Or, check the application identifier in the request to ensure it matches the configured client application identifier. Please contact your admin to fix the configuration or consent on behalf of the tenant. Client app ID: {id}.";
    MfaRegistration Page "invalid_grant" 50_079 Some("basic_action"), false "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.";
    RegistrationBlocked Page "invalid_grant" 53_004 Some("message_only"), false "Multi-factor authentication registration has been blocked because of risk. Register from a place or device that is known.";
    TermsOfUse Page "invalid_grant" 50_158 Some("basic_action"), true "External security challenge not satisfied. User will be redirected to another page or authentication provider to satisfy additional authentication challenges.";
    SecurityDefaults Page "invalid_grant" 530_035 Some("message_only"), false "Access has been blocked by security defaults. This is due to the request using legacy authentication or being deemed unsafe by security defaults policies.";
    DeviceRequired Page "invalid_grant" 53_000 Some("message_only"), true "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant. The user must enroll their device with an approved MDM provider like Intune.";
    DeviceNotJoined Page "invalid_grant" 53_001 Some("message_only"), true "Device is not in required device state: domain_joined. Conditional Access policy requires a domain joined device, and the device is not domain joined.";
    AppNotApproved Page "invalid_grant" 53_002 Some("message_only"), true "Application used is not an approved application for Conditional Access.";
    LocationBlocked Page "invalid_grant" 53_003 Some("message_only"), true "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance from this location.";
    ConditionalAccess Page "invalid_grant" 53_003 Some("message_only"), true "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.";
};

/// What keeps this account in this app from its tokens, and how the browser learns of it.
pub(super) fn met(world: &World, app: &Registration, user: &User) -> Option<(Way, Refusal)> {
    let (tenant, unassigned) = {
        let directory = world.directory.lock();
        let decisions = &directory.decisions;
        let unassigned = decisions.assignment_required && !decisions.assigned.contains(user.oid);
        let tenant = directory.tenant(user.tenant).map_or("", |t| t.name);
        (tenant, unassigned)
    };
    if world.has(Scenario::AppDisabled) {
        return Some((Way::Page, Refusal::app_disabled(app.client_id, app.name)));
    }
    if unassigned {
        let refusal = Refusal::not_assigned(app.client_id, app.name, user.upn);
        return Some((Way::Page, refusal));
    }
    let found = OBSTACLES.iter().find(|o| under(world, o.scenario, user))?;
    let text = found
        .text
        .replace("{id}", app.client_id)
        .replace("{app}", app.name)
        .replace("{upn}", user.upn)
        .replace("{tenant}", tenant);
    let mut refusal = Refusal::new(found.error, found.code, text);
    refusal.suberror = found.suberror;
    if found.policy {
        refusal = refusal.policy();
    }
    Some((found.way, refusal))
}

/// An account of another tenant than the one signed in to.
pub(super) fn outsider(
    world: &World,
    authority: &Authority,
    app: &Registration,
    user: &User,
) -> Option<Refusal> {
    match authority {
        Authority::Tenant(id) if *id != user.tenant => {
            let directory = world.directory.lock();
            let tenant = directory.tenant(id).map_or("", |t| t.name);
            let (id, name) = (app.client_id, app.name);
            Some(Refusal::not_in_tenant(
                user.upn,
                user.tenant,
                tenant,
                id,
                name,
            ))
        }
        Authority::Consumers => Some(Refusal::work_accounts_only(app.client_id, app.name)),
        Authority::Tenant(_) | Authority::Organizations | Authority::Common => None,
    }
}

/// Is this account under a scenario: one that strikes everybody, or one of its own?
pub(crate) fn under(world: &World, scenario: Scenario, user: &User) -> bool {
    world.has(scenario)
        || world
            .directory
            .lock()
            .decisions
            .marks
            .iter()
            .any(|(oid, marked)| oid == user.oid && *marked == scenario)
}

/// What the sign-in page says of an account that cannot sign in. Administrators always can: somebody has to mend it.
pub(super) fn at_the_door(world: &World, user: &User) -> Option<&'static str> {
    if user.kind == UserKind::Admin {
        return None;
    }
    if under(world, Scenario::UserDeleted, user) {
        Some(
            "This username may be incorrect. Make sure you typed it correctly. Otherwise, contact your admin. (AADSTS50034: The user account does not exist in the directory.)",
        )
    } else if user.kind == UserKind::Shared || under(world, Scenario::UserDisabled, user) {
        Some(
            "Your account has been locked. Contact your support person to unlock it, then try again. (AADSTS50057: The user account is disabled.)",
        )
    } else if under(world, Scenario::AccountLocked, user) {
        Some(
            "Your account is temporarily locked to prevent unauthorized use. Try again later, and if you still have trouble, contact your admin. (AADSTS50053)",
        )
    } else {
        None
    }
}

/// What the token endpoint says of the account's state, and the page after the password.
pub(super) fn account(world: &World, user: &User) -> Option<Refusal> {
    let under = |scenario| user.kind != UserKind::Admin && under(world, scenario, user);
    if under(Scenario::UserDeleted) {
        let text = "The user account has been deleted from the directory.";
        Some(Refusal::new("invalid_grant", 500_341, text))
    } else if under(Scenario::UserDisabled) {
        let text = "The user account is disabled.";
        Some(Refusal::new("invalid_grant", 50_057, text).suberror("bad_token"))
    } else if under(Scenario::PasswordExpired) {
        let text = "The password is expired.";
        let refusal = Refusal::new("invalid_grant", 50_055, text);
        Some(refusal.suberror("user_password_expired"))
    } else {
        None
    }
}

/// What a refresh gets whose grant a scenario has struck.
pub(super) fn struck(scenario: Scenario) -> Refusal {
    let refuse = |code, text: &str| Refusal::new("invalid_grant", code, text);
    let expired = [
        (
            Scenario::MfaExpired,
            50_078,
            "basic_action",
            "Presented multi-factor authentication has expired due to policies configured by your administrator, you must refresh your multi-factor authentication to access '00000003-0000-0000-c000-000000000000'.",
        ),
        (
            Scenario::SignInFrequency,
            70_043,
            "token_expired",
            "The refresh token has expired or is invalid due to sign-in frequency checks by Conditional Access. The maximum allowed lifetime for this request is 86400.",
        ),
        (
            Scenario::PasswordChanged,
            50_133,
            "bad_token",
            "Session is invalid due to expiration or recent password change.",
        ),
    ];
    match expired.into_iter().find(|(s, ..)| *s == scenario) {
        Some((_, code, suberror, text)) => refuse(code, text).suberror(suberror),
        None => refuse(
            70_000,
            "Provided grant is invalid or malformed. The grant is expired, revoked, or was issued to another client.",
        ),
    }
}

/// The registration as the administrator has left it.
pub(super) fn registered(
    world: &World,
    app: &Registration,
    taken: &BTreeSet<(String, String)>,
) -> Registration {
    let mut app = app.clone();
    if app.client_id != MAILROOM {
        return app;
    }
    if world.has(Scenario::RedirectMissing) {
        app.redirects = &[];
    } else if world.has(Scenario::RedirectMismatch) {
        app.redirects = &[("https://mailroom.contoso.example/signin", Platform::Desktop)];
    } else if world.has(Scenario::PlatformWeb) {
        app.redirects = &[("http://localhost", Platform::Web)];
    }
    app.public_client &= !world.has(Scenario::PublicClientOff);
    app.multi_tenant &= !world.has(Scenario::SingleTenant);
    let none = world.has(Scenario::PermissionMissing);
    app.permissions.retain(|(resource, name)| {
        let graph = *resource == super::tokens::GRAPH;
        let removed = taken.iter().any(|(r, n)| r == resource && n == name);
        !(removed || none && graph)
    });
    app
}
