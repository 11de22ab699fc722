-- What stands against the server for outgoing mail since it was saved without a successful try: a finding as JSON.
ALTER TABLE addresses ADD COLUMN outbound_warning TEXT;
