-- Instants are milliseconds since 1970 (UTC). Keys are never used again (AUTOINCREMENT).

CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL                 -- JSON
) STRICT;

CREATE TABLE brands (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- A person or service account that signed in.
CREATE TABLE accounts (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id    TEXT NOT NULL,
    object_id    TEXT NOT NULL,
    login_name   TEXT NOT NULL,
    display_name TEXT NOT NULL,
    primary_address TEXT,
    aliases      TEXT NOT NULL DEFAULT '[]',   -- JSON array
    registration TEXT NOT NULL,                -- JSON: authority, graph_url, tenant, client_id
    tokens       BLOB,                         -- sealed under the keychain's key
    scopes       TEXT NOT NULL DEFAULT '[]',   -- JSON array: granted
    UNIQUE (tenant_id, object_id, registration)
) STRICT;

-- An address and, as one address has at most one, its connection.
CREATE TABLE addresses (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    address        TEXT NOT NULL,              -- as shown
    address_key    TEXT NOT NULL UNIQUE,       -- lower case
    brand_id       INTEGER NOT NULL REFERENCES brands (id),
    is_default     INTEGER NOT NULL DEFAULT 0,
    sandbox        INTEGER NOT NULL DEFAULT 0,
    provider       TEXT NOT NULL,              -- graph, imap, ews
    account_id     INTEGER NOT NULL REFERENCES accounts (id),
    mailbox        TEXT,                       -- NULL: the account's own; else the shared mailbox's address
    folder_path    TEXT,                       -- NULL: inbox
    folder_id      TEXT NOT NULL,
    folder_name    TEXT NOT NULL,
    poll_interval_s INTEGER NOT NULL DEFAULT 60,
    category       TEXT NOT NULL DEFAULT 'Mailroom',
    connected_at   INTEGER NOT NULL,
    cursor         TEXT,
    paused         INTEGER NOT NULL DEFAULT 0,
    disconnected   INTEGER NOT NULL DEFAULT 0,
    offline_since  INTEGER,
    cause          TEXT,                       -- JSON Finding of the last failure; NULL when well
    failures       INTEGER NOT NULL DEFAULT 0, -- in a row
    failing_since  INTEGER,
    last_success_at INTEGER,
    next_poll_at   INTEGER,
    wait_until     INTEGER,                    -- the server asked us not to come earlier
    wake_requested INTEGER NOT NULL DEFAULT 0, -- counts requests "sync now" from any process
    wake_served    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE UNIQUE INDEX addresses_default ON addresses (is_default) WHERE is_default = 1;

CREATE TABLE aliases (
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    address_key TEXT NOT NULL,
    address    TEXT NOT NULL,
    PRIMARY KEY (address_id, address_key)
) STRICT;
CREATE INDEX aliases_by_key ON aliases (address_key);

CREATE TABLE imports (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    newest     INTEGER NOT NULL,
    until      INTEGER NOT NULL,               -- only mail received at or before
    state      TEXT NOT NULL,                  -- listing, running, paused, cancelled, done
    listed     INTEGER NOT NULL DEFAULT 0,     -- whether import_items is complete
    started_at INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX imports_by_address ON imports (address_id, id);

CREATE TABLE import_items (
    import_id INTEGER NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    position  INTEGER NOT NULL,                -- 0 is the newest
    server_id TEXT NOT NULL,
    listing   TEXT NOT NULL,                   -- JSON RemoteMessage
    outcome   TEXT,                            -- NULL: still to do
    PRIMARY KEY (import_id, position),
    UNIQUE (import_id, server_id)
) STRICT;
CREATE INDEX import_items_by_outcome ON import_items (import_id, outcome, position);

CREATE TABLE tickets (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL REFERENCES addresses (id),
    subject    TEXT NOT NULL,
    requester_name    TEXT NOT NULL,
    requester_address TEXT NOT NULL,
    created_at INTEGER NOT NULL,               -- when Mailroom made it
    updated_at INTEGER NOT NULL,               -- newest message received
    imported   INTEGER NOT NULL,               -- made by an import: triggers stay silent
    automatic  TEXT,
    open       INTEGER NOT NULL DEFAULT 1,
    -- Counted here so that a list reads no other table.
    messages   INTEGER NOT NULL DEFAULT 0,
    preview    TEXT NOT NULL DEFAULT '',       -- beginning of the newest message's text
    has_attachments INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX tickets_by_time ON tickets (updated_at DESC, id DESC);
CREATE INDEX tickets_by_address ON tickets (address_id, updated_at DESC, id DESC);
CREATE INDEX tickets_open ON tickets (address_id) WHERE open = 1;
CREATE INDEX tickets_new ON tickets (address_id, created_at) WHERE imported = 0;

CREATE TABLE messages (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id   INTEGER NOT NULL REFERENCES tickets (id),
    address_id  INTEGER NOT NULL REFERENCES addresses (id),
    message_id  TEXT,                          -- header, without brackets
    fingerprint BLOB,
    subject     TEXT NOT NULL,
    from_name   TEXT NOT NULL,
    from_address TEXT NOT NULL,
    recipients  TEXT NOT NULL,                 -- JSON {to, cc, reply_to}
    received_at INTEGER NOT NULL,
    sent_at     INTEGER,
    has_html    INTEGER NOT NULL,
    automatic   TEXT,
    damage      TEXT NOT NULL DEFAULT '[]',    -- JSON array
    imported    INTEGER NOT NULL
) STRICT;
CREATE INDEX messages_by_ticket ON messages (ticket_id, received_at, id);
CREATE INDEX messages_by_message_id ON messages (message_id, address_id) WHERE message_id IS NOT NULL;
CREATE INDEX messages_by_fingerprint ON messages (fingerprint, address_id) WHERE fingerprint IS NOT NULL;
CREATE INDEX messages_by_address ON messages (address_id);
CREATE INDEX messages_by_arrival ON messages (address_id, received_at);

-- Text and raw MIME apart from their message, so that lists and look-ups never touch these pages.
CREATE TABLE bodies (
    message_id INTEGER PRIMARY KEY REFERENCES messages (id) ON DELETE CASCADE,
    text       TEXT NOT NULL,
    raw        BLOB NOT NULL
) STRICT;

CREATE TABLE attachments (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    part       INTEGER NOT NULL,
    name       TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size       INTEGER NOT NULL,
    content_id TEXT,
    inline     INTEGER NOT NULL
) STRICT;
CREATE INDEX attachments_by_message ON attachments (message_id);

-- Message-IDs of each ticket's mails and of the mails they answer, so that answers meet in one ticket
-- whatever order they come in.
CREATE TABLE thread_ids (
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    ticket_id  INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    own        INTEGER NOT NULL,               -- 1: a mail with this id is here; 0: it is only referred to
    PRIMARY KEY (address_id, message_id)
) STRICT, WITHOUT ROWID;

-- What became of every server message.
CREATE TABLE ledger (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id  INTEGER NOT NULL REFERENCES addresses (id),
    server_id   TEXT NOT NULL,
    message_id  TEXT,                          -- header, without brackets
    subject     TEXT NOT NULL,
    from_address TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    outcome     TEXT NOT NULL,                 -- imported, duplicate, skipped, failed
    reason      TEXT,
    stored_message INTEGER REFERENCES messages (id),
    attempts    INTEGER NOT NULL DEFAULT 1,
    recorded_at INTEGER NOT NULL,
    UNIQUE (address_id, server_id)
) STRICT;
CREATE INDEX ledger_by_message_id ON ledger (address_id, message_id);
CREATE INDEX ledger_by_time ON ledger (address_id, received_at DESC, id DESC);
CREATE INDEX ledger_by_outcome ON ledger (address_id, outcome, received_at DESC, id DESC);
CREATE INDEX ledger_failed ON ledger (address_id, recorded_at) WHERE outcome = 'failed';

-- What the server is still to be told. A row leaves when the server has taken it or says the message is gone.
CREATE TABLE marks (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    server_id  TEXT NOT NULL,
    category   TEXT,
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    UNIQUE (address_id, server_id)
) STRICT;
CREATE INDEX marks_by_time ON marks (address_id, not_before, id);

CREATE TABLE events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    args       TEXT NOT NULL DEFAULT '{}'      -- JSON object
) STRICT;
CREATE INDEX events_by_address ON events (address_id, id DESC);

-- Trigram: unicode61 finds no Japanese substring and no part of a German compound. One row a message, under its id.
-- Text comes in folded (store/search.rs), so the tokenizer compares exactly.
CREATE VIRTUAL TABLE message_search USING fts5 (
    subject, people, body,
    tokenize = 'trigram case_sensitive 1',
    content = '', contentless_delete = 1
);
-- The index's own trigrams: how terms of two characters are found.
CREATE VIRTUAL TABLE message_trigrams USING fts5vocab ('message_search', 'instance');
