-- Fixes that were handed over and are waited for: approvals, rights on mailboxes, changes to app registrations. One an
-- address and topic; the address need not be connected yet.
CREATE TABLE handoffs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    address      TEXT NOT NULL,
    address_key  TEXT NOT NULL,                 -- lower case
    topic        TEXT NOT NULL,                 -- approval, or the finding's code in lower case
    kind         TEXT NOT NULL,                 -- approval, mailbox, tenant, registration
    code         TEXT NOT NULL,                 -- the finding's
    args         TEXT NOT NULL,                 -- JSON object: the finding's
    by_sending   INTEGER NOT NULL,              -- 1: only sending shows that it is mended
    registration TEXT NOT NULL,                 -- JSON, as in accounts
    scopes       TEXT NOT NULL,                 -- JSON array: asked for
    state        TEXT NOT NULL,                 -- random, travels in the link
    denied       INTEGER NOT NULL DEFAULT 0,
    asked_at     INTEGER NOT NULL,
    checked_at   INTEGER,
    mailed       TEXT,                          -- JSON: how it was last mailed
    UNIQUE (address_key, topic)
) STRICT;
INSERT INTO handoffs (id, address, address_key, topic, kind, code, args, by_sending, registration, scopes, state,
        denied, asked_at, checked_at)
    SELECT id, address, address_key, 'approval', 'approval', 'consent_required', '{}', 0, registration, scopes, state,
        denied, asked_at, checked_at
    FROM approvals;
DROP TABLE approvals;
