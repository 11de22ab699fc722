-- Addresses of which no poll succeeds any more, or does again and somebody does not know yet. What is due is crossed off
-- before it is told: rather none than two.
CREATE TABLE silences (
    address_id INTEGER PRIMARY KEY REFERENCES addresses (id) ON DELETE CASCADE,
    silent     INTEGER NOT NULL,               -- 1: silent; 0: polls work again
    changed_at INTEGER NOT NULL,
    notice_due INTEGER NOT NULL,
    mail_due   INTEGER NOT NULL
) STRICT;
