-- Words instead of trigrams (store/search.rs): a quarter of the work of keeping the index, a fraction of its size.
DROP TABLE message_trigrams;
DROP TABLE message_search;

-- One row a message, under its id. The text comes in as words with spaces between, so the simplest tokenizer will do.
CREATE VIRTUAL TABLE message_search USING fts5 (
    words,
    tokenize = 'ascii',
    content = '', contentless_delete = 1
);
-- The index is written in large pieces and merged seldom: an import adds thousands of mails, and merging small pieces
-- again and again costs more than everything else together (FTS5, "Configuration Options").
INSERT INTO message_search (message_search, rank) VALUES ('hashsize', 8388608);
INSERT INTO message_search (message_search, rank) VALUES ('automerge', 8);
-- Where each word of the index stands.
CREATE VIRTUAL TABLE message_words USING fts5vocab ('message_search', 'instance');

-- Each word of languages with spaces, once, and its trigrams: how a part of a word is found.
CREATE TABLE search_words (
    id   INTEGER PRIMARY KEY,
    word TEXT NOT NULL UNIQUE
) STRICT;
CREATE VIRTUAL TABLE search_word_parts USING fts5 (
    word,
    tokenize = 'trigram case_sensitive 1',
    content = '', detail = none
);
INSERT INTO search_word_parts (search_word_parts, rank) VALUES ('hashsize', 8388608);
INSERT INTO search_word_parts (search_word_parts, rank) VALUES ('automerge', 8);
