-- The index is written in large pieces and merged seldom: an import adds thousands of mails, and merging small pieces
-- again and again costs more than everything else together (FTS5, "Configuration Options").
INSERT INTO message_search (message_search, rank) VALUES ('hashsize', 8388608);
INSERT INTO message_search (message_search, rank) VALUES ('automerge', 8);
