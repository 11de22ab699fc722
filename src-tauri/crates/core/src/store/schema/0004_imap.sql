-- How the server of an address is reached, where the provider does not know by itself: JSON {host, port, login, auth}
-- for IMAP. Passwords are not here: they are sealed in accounts.tokens, like tokens.
ALTER TABLE addresses ADD COLUMN server TEXT;
