//! Certificates that mail servers showed, one a server: when they end is told before it happens.

use crate::diagnosis::forecast::ServerCertificate;
use rusqlite::{Connection, OptionalExtension};

/// Keeps what a server showed; the former certificate of the same server is forgotten.
pub fn keep(conn: &Connection, certificate: &ServerCertificate) -> rusqlite::Result<()> {
    conn.prepare_cached(
        "INSERT INTO server_certificates (host, port, issuer, ends_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (host, port) DO UPDATE SET issuer = excluded.issuer, ends_at = excluded.ends_at",
    )?
    .execute((
        certificate.host.to_ascii_lowercase(),
        certificate.port,
        &certificate.issuer,
        certificate.ends_at,
    ))?;
    Ok(())
}

/// The certificate that a server showed last, if one was ever seen.
pub fn of_server(
    conn: &Connection,
    host: &str,
    port: u16,
) -> rusqlite::Result<Option<ServerCertificate>> {
    conn.prepare_cached(
        "SELECT host, port, issuer, ends_at FROM server_certificates WHERE host = ?1 AND port = ?2",
    )?
    .query_row((host.to_ascii_lowercase(), port), |row| {
        Ok(ServerCertificate {
            host: row.get(0)?,
            port: row.get(1)?,
            issuer: row.get(2)?,
            ends_at: row.get(3)?,
        })
    })
    .optional()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::database;

    #[test]
    fn the_latest_certificate_of_each_server_is_kept() {
        let (_folder, db) = database();
        let shown = |port, ends_at| ServerCertificate {
            host: "Mail.contoso.example".into(),
            port,
            issuer: "Contoso".into(),
            ends_at,
        };
        for (port, ends_at) in [(993, 5), (465, 7), (993, 9)] {
            keep(&db, &shown(port, ends_at)).unwrap();
        }
        let ends = |host: &str, port| {
            let found = of_server(&db, host, port).unwrap();
            found.map(|certificate| certificate.ends_at)
        };
        assert_eq!(ends("mail.Contoso.example", 993), Some(9));
        assert_eq!(ends("mail.contoso.example", 465), Some(7));
        assert_eq!(ends("mail.contoso.example", 587), None);
    }
}
