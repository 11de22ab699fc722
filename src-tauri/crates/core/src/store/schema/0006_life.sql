-- Until when disconnecting can be undone; so long the sign-in is kept, sealed.
ALTER TABLE addresses ADD COLUMN undo_until INTEGER;
-- When somebody last signed in for the address: a test mail sent before that proves nothing about the present connection.
ALTER TABLE addresses ADD COLUMN signed_in_at INTEGER NOT NULL DEFAULT 0;
UPDATE addresses SET signed_in_at = max(connected_at, coalesce((
    SELECT max(at) FROM events WHERE address_id = addresses.id AND kind IN ('connected', 'reconnected')
), 0));

-- People of the team. Their addresses are theirs and no mailbox of the team's.
CREATE TABLE agents (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    address     TEXT NOT NULL,
    address_key TEXT NOT NULL UNIQUE,          -- lower case
    added_at    INTEGER NOT NULL
) STRICT;
