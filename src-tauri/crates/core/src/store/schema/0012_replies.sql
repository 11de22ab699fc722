-- Replies that were handed over and of which nobody knows yet whether they left: none of them is sent twice by mistake.
CREATE TABLE replies (
    message_id TEXT PRIMARY KEY,               -- header, without brackets
    ticket_id  INTEGER NOT NULL REFERENCES tickets (id) ON DELETE CASCADE,
    begun_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX replies_by_ticket ON replies (ticket_id);
