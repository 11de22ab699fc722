-- Requests for approval that wait for a tenant's admin; at most one an address, which need not be connected yet.
CREATE TABLE approvals (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    address      TEXT NOT NULL,
    address_key  TEXT NOT NULL UNIQUE,          -- lower case
    registration TEXT NOT NULL,                 -- JSON, as in accounts
    scopes       TEXT NOT NULL,                 -- JSON array: asked for
    state        TEXT NOT NULL,                 -- random, travels in the link
    denied       INTEGER NOT NULL DEFAULT 0,
    asked_at     INTEGER NOT NULL,
    checked_at   INTEGER
) STRICT;

-- Test mails that an address sent to itself: how sending is proved, and how their arrival is told from customers' mail.
CREATE TABLE own_tests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL UNIQUE,            -- header, without brackets
    token      TEXT NOT NULL UNIQUE,            -- in the subject, should a server replace the Message-ID
    sent_at    INTEGER NOT NULL,
    arrived_at INTEGER,
    took_ms    INTEGER,                         -- from sending to arrival
    refusal    TEXT                             -- JSON Finding: the server did not take it
) STRICT;
CREATE INDEX own_tests_by_address ON own_tests (address_id, id DESC);
