-- Certificates that mail servers showed: when they end is told before it happens.
CREATE TABLE server_certificates (
    host    TEXT NOT NULL,                      -- lower case
    port    INTEGER NOT NULL,
    issuer  TEXT NOT NULL,                      -- empty where it has no name
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (host, port)
) STRICT;

-- Where a test mail arrived: in the folder that is read, or in the inbox beside it.
ALTER TABLE own_tests ADD COLUMN in_inbox INTEGER NOT NULL DEFAULT 0;
