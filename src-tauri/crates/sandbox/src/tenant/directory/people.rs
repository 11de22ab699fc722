//! The two companies and the people in them.

use super::{CONTOSO, FABRIKAM, Tenant, User, UserKind};

const ALEX: &str = "a1e00001-0a1e-4c0a-8001-c0a705030001";
const INFO: &str = "a1e00006-0a1e-4c0a-8006-c0a705030006";

/// Full Access: (account, mailbox), both object ids.
pub(super) const FULL_ACCESS: &[(&str, &str)] = &[(ALEX, INFO)];
/// Send As: (account, mailbox), both object ids.
pub(super) const SEND_AS: &[(&str, &str)] = &[(ALEX, INFO)];

pub(super) fn tenants() -> Vec<Tenant> {
    vec![
        Tenant {
            id: CONTOSO,
            name: "Contoso",
            domains: &["contoso.onmicrosoft.example", "contoso.example"],
        },
        Tenant {
            id: FABRIKAM,
            name: "Fabrikam",
            domains: &["fabrikam.onmicrosoft.example", "fabrikam.example"],
        },
    ]
}

pub(super) fn users() -> Vec<User> {
    let person = User {
        oid: "",
        tenant: CONTOSO,
        upn: "",
        mail: "",
        aliases: &[],
        name: "",
        given_name: "",
        surname: "",
        job_title: "",
        language: "en-US",
        password: "",
        kind: UserKind::User,
    };
    vec![
        User {
            oid: ALEX,
            upn: "alex@contoso.example",
            mail: "alex@contoso.example",
            name: "Alex Wilber",
            given_name: "Alex",
            surname: "Wilber",
            job_title: "Team Lead, Customer Care",
            password: "Practice-Alex-1",
            ..person.clone()
        },
        User {
            oid: "a1e00002-0a1e-4c0a-8002-c0a705030002",
            upn: "mika.t@contoso.onmicrosoft.example",
            mail: "mika@contoso.example",
            aliases: &["mika.tanner@contoso.example"],
            name: "Mika Tanner",
            given_name: "Mika",
            surname: "Tanner",
            job_title: "Kundendienst",
            language: "de-DE",
            password: "Practice-Mika-1",
            ..person.clone()
        },
        User {
            oid: "a1e00003-0a1e-4c0a-8003-c0a705030003",
            upn: "sato@contoso.example",
            mail: "sato@contoso.example",
            name: "佐藤 花子",
            given_name: "花子",
            surname: "佐藤",
            job_title: "サポート担当",
            language: "ja-JP",
            password: "Practice-Sato-1",
            ..person.clone()
        },
        User {
            oid: "a1e00004-0a1e-4c0a-8004-c0a705030004",
            upn: "admin@contoso.example",
            mail: "admin@contoso.example",
            name: "Contoso Administrator",
            given_name: "Contoso",
            surname: "Administrator",
            job_title: "Global Administrator",
            password: "Practice-Admin-1",
            kind: UserKind::Admin,
            ..person.clone()
        },
        User {
            oid: "a1e00005-0a1e-4c0a-8005-c0a705030005",
            upn: "support@contoso.example",
            mail: "support@contoso.example",
            aliases: &["help@contoso.example", "hilfe@contoso.example"],
            name: "Contoso Support",
            given_name: "Contoso",
            surname: "Support",
            password: "Practice-Support-1",
            ..person.clone()
        },
        User {
            oid: INFO,
            upn: "info@contoso.example",
            mail: "info@contoso.example",
            name: "Contoso Info",
            kind: UserKind::Shared,
            ..person.clone()
        },
        User {
            oid: "a1e00007-0a1e-4c0a-8007-c0a705030007",
            upn: "sales@contoso.example",
            mail: "sales@contoso.example",
            name: "Contoso Sales",
            kind: UserKind::Shared,
            ..person.clone()
        },
        User {
            oid: "fab00001-0a1e-4c0a-8001-fab21ca30001",
            tenant: FABRIKAM,
            upn: "robin@fabrikam.example",
            mail: "robin@fabrikam.example",
            name: "Robin Counts",
            given_name: "Robin",
            surname: "Counts",
            job_title: "Procurement",
            password: "Practice-Robin-1",
            ..person
        },
    ]
}
