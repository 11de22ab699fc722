-- What becomes of mail on the server once it is imported: JSON {kind: leave | read | move | delete, folder}; the id of the
-- folder to move to is kept beside it, as it survives renaming.
ALTER TABLE addresses ADD COLUMN after_import TEXT NOT NULL DEFAULT '{"kind":"read"}';
ALTER TABLE addresses ADD COLUMN after_import_folder TEXT;

-- Another folder to read: JSON {path, id, name, since}, until the present one has been read to its end.
ALTER TABLE addresses ADD COLUMN folder_next TEXT;
-- Since when this folder is read; NULL: since the connection.
ALTER TABLE addresses ADD COLUMN folder_since INTEGER;

-- Ids of messages are the folder's own on some servers, so a mark names the folder too.
CREATE TABLE marks_new (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    address_id INTEGER NOT NULL REFERENCES addresses (id) ON DELETE CASCADE,
    folder_id  TEXT NOT NULL,
    server_id  TEXT NOT NULL,
    category   TEXT,
    follow     TEXT NOT NULL DEFAULT '{"kind":"stay"}', -- JSON: what becomes of it, once it is marked
    attempts   INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL DEFAULT 0,
    UNIQUE (address_id, folder_id, server_id)
) STRICT;
INSERT INTO marks_new (id, address_id, folder_id, server_id, category, attempts, not_before)
    SELECT m.id, m.address_id, a.folder_id, m.server_id, m.category, m.attempts, m.not_before
    FROM marks m JOIN addresses a ON a.id = m.address_id;
DROP TABLE marks;
ALTER TABLE marks_new RENAME TO marks;
CREATE INDEX marks_by_time ON marks (address_id, not_before, id);
