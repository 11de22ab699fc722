//! Certificates that live as long as a test.

/// An authority of its own and a certificate that it signed, as PEM.
pub struct Papers {
    /// The authority, which whoever connects has to trust.
    pub ca: String,
    /// What the server shows.
    pub certificate: String,
    /// The certificate's private key.
    pub key: String,
}

impl Papers {
    /// A certificate for these host names and IP addresses.
    pub fn new(names: &[&str]) -> Self {
        Self::made(names, None)
    }

    /// A certificate that was good once.
    pub fn expired(names: &[&str]) -> Self {
        Self::made(names, Some(jiff::civil::date(2020, 1, 1)))
    }

    /// A certificate that is good for `days` days yet, and for some hours of the day after.
    pub fn ending_in(names: &[&str], days: i32) -> Self {
        let today = jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date();
        let end = today.saturating_add(jiff::Span::new().days(days + 1));
        Self::made(names, Some(end))
    }

    fn made(names: &[&str], ends: Option<jiff::civil::Date>) -> Self {
        let ca_key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let ca = params.self_signed(&ca_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(params, ca_key);
        let key = rcgen::KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut leaf = rcgen::CertificateParams::new(names.clone()).unwrap();
        // OpenSSL takes a certificate that bears its issuer's name for self-signed.
        if let Some(name) = names.first() {
            leaf.distinguished_name
                .push(rcgen::DnType::CommonName, name);
        }
        if let Some(end) = ends {
            let part = |part: i8| u8::try_from(part).unwrap();
            leaf.not_after =
                rcgen::date_time_ymd(i32::from(end.year()), part(end.month()), part(end.day()));
        }
        leaf.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        Self {
            ca,
            certificate: leaf.signed_by(&key, &issuer).unwrap().pem(),
            key: key.serialize_pem(),
        }
    }
}
