-- Version 2: what is too old goes (server/prune.rs).

-- Newest event at some time, so that an event's age is known.
CREATE TABLE event_mark (at TEXT PRIMARY KEY, newest INTEGER NOT NULL) STRICT;
CREATE INDEX session_expires ON session(expires_at);
CREATE INDEX access_token_session ON access_token(session_id);
CREATE INDEX refresh_token_session ON refresh_token(session_id);
