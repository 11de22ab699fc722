-- The server that takes an address's mail, where the provider does not send by itself: JSON {host, port, tls, login, auth,
-- from}. Its password, where it is not that of the account, is sealed.
ALTER TABLE addresses ADD COLUMN outbound TEXT;
ALTER TABLE addresses ADD COLUMN outbound_secret BLOB;

-- What a login has handed over within the last minute, so that no restart sends faster than the server allows.
CREATE TABLE sendings (
    login TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX sendings_by_login ON sendings (login, at);
