-- Version 1. Times are RFC 3339 in UTC with fixed width where they are compared (`YYYY-MM-DDTHH:MM:SS.sssZ`).

CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE user (
  id            TEXT PRIMARY KEY,
  name          TEXT NOT NULL,
  roles         TEXT NOT NULL,               -- JSON array of contract::UserRole
  password_hash TEXT NOT NULL,
  totp_sealed   BLOB,                        -- sealed TOTP secret, context `totp:<id>`
  totp_step     INTEGER,                     -- newest step used
  disabled      INTEGER NOT NULL DEFAULT 0,
  created_at    TEXT NOT NULL
) STRICT;

-- By the name that was typed, whether such a user exists or not: the answer must not tell.
CREATE TABLE sign_in_failure (
  username     TEXT PRIMARY KEY,
  count        INTEGER NOT NULL,
  locked_until TEXT
) STRICT;

CREATE TABLE enrolment (
  code_sha256 TEXT PRIMARY KEY,
  user_id     TEXT NOT NULL REFERENCES user(id),
  expires_at  TEXT NOT NULL,
  used_at     TEXT
) STRICT;

-- A session is one sign-in with both factors; its tokens are kept as digests.
CREATE TABLE session (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES user(id),
  auth_at    TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  ended_at   TEXT
) STRICT;
CREATE TABLE access_token (
  sha256     TEXT PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES session(id),
  generation INTEGER NOT NULL,
  expires_at TEXT NOT NULL,
  used       INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE refresh_token (
  sha256     TEXT PRIMARY KEY,
  session_id TEXT NOT NULL REFERENCES session(id),
  generation INTEGER NOT NULL,
  used       INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE certificate (
  serial     TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES user(id),
  der        BLOB NOT NULL,
  issued_at  TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  revoked_at TEXT
) STRICT;

CREATE TABLE idempotency (
  user_id     TEXT NOT NULL,
  key         TEXT NOT NULL,
  request     TEXT NOT NULL,                 -- method and path
  body_sha256 TEXT NOT NULL,
  status      INTEGER NOT NULL,
  headers     TEXT NOT NULL,                 -- JSON
  body        BLOB NOT NULL,
  at          TEXT NOT NULL,
  PRIMARY KEY (user_id, key)
) STRICT;
CREATE INDEX idempotency_at ON idempotency(at);

-- Images.
CREATE TABLE study (
  uid        TEXT PRIMARY KEY,
  attributes TEXT NOT NULL,                  -- DICOM JSON of patient and study level
  updated_at TEXT NOT NULL
) STRICT;
CREATE TABLE series (
  uid        TEXT PRIMARY KEY,
  study_uid  TEXT NOT NULL REFERENCES study(uid),
  modality   TEXT NOT NULL,
  number     INTEGER,
  attributes TEXT NOT NULL
) STRICT;
CREATE INDEX series_study ON series(study_uid);
CREATE TABLE instance (
  uid             TEXT PRIMARY KEY,
  series_uid      TEXT NOT NULL REFERENCES series(uid),
  sop_class       TEXT NOT NULL,
  transfer_syntax TEXT NOT NULL,
  number          INTEGER,
  bytes           INTEGER NOT NULL,
  sha256          TEXT NOT NULL,
  metadata        BLOB NOT NULL               -- whole DICOM JSON, bulk data left out
) STRICT;
CREATE INDEX instance_series ON instance(series_uid, number, uid);

-- Work.
CREATE TABLE assignment (
  id             TEXT PRIMARY KEY,
  reader         TEXT NOT NULL REFERENCES user(id),
  state          TEXT NOT NULL,
  version        INTEGER NOT NULL,
  due_at         TEXT NOT NULL,
  updated_at     TEXT NOT NULL,
  modalities     TEXT NOT NULL,               -- ` CT PT `
  body           TEXT NOT NULL,               -- worklist::Assignment as JSON; columns win
  signing_stopped INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX assignment_reader ON assignment(reader, due_at, id);
CREATE TABLE assignment_study (
  assignment_id TEXT NOT NULL REFERENCES assignment(id),
  study_uid     TEXT NOT NULL,
  prior         INTEGER NOT NULL,
  PRIMARY KEY (assignment_id, study_uid)
) STRICT;
CREATE INDEX assignment_study_uid ON assignment_study(study_uid);
CREATE TABLE lease (
  id            TEXT PRIMARY KEY,
  assignment_id TEXT NOT NULL REFERENCES assignment(id),
  owner         TEXT NOT NULL,
  session_id    TEXT NOT NULL,
  expires_at    TEXT NOT NULL,
  ended         TEXT                          -- `superseded` (same reader, other terminal), `given_up` or `revoked`
) STRICT;
CREATE INDEX lease_assignment ON lease(assignment_id);
CREATE TABLE draft (
  assignment_id TEXT NOT NULL REFERENCES assignment(id),
  owner         TEXT NOT NULL,
  version       INTEGER NOT NULL,
  saved_at      TEXT NOT NULL,
  body          TEXT NOT NULL,
  PRIMARY KEY (assignment_id, owner)
) STRICT;
CREATE TABLE event (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  reader        TEXT NOT NULL,
  assignment_id TEXT NOT NULL,
  data          TEXT NOT NULL
) STRICT;
CREATE INDEX event_reader ON event(reader, id);

-- Reports. Never updated, never deleted.
CREATE TABLE report (
  id            TEXT PRIMARY KEY,
  assignment_id TEXT NOT NULL REFERENCES assignment(id)
) STRICT;
CREATE TABLE report_study (
  report_id TEXT NOT NULL REFERENCES report(id),
  study_uid TEXT NOT NULL,
  PRIMARY KEY (report_id, study_uid)
) STRICT;
CREATE INDEX report_study_uid ON report_study(study_uid);
CREATE TABLE report_version (
  report_id   TEXT NOT NULL REFERENCES report(id),
  version     INTEGER NOT NULL,
  sha256      TEXT NOT NULL,
  received_at TEXT NOT NULL,
  body        TEXT NOT NULL,                  -- contract::ReportVersion as JSON
  PRIMARY KEY (report_id, version)
) STRICT;
CREATE TRIGGER report_version_immutable BEFORE UPDATE ON report_version BEGIN SELECT RAISE(ABORT, 'a signed version is immutable'); END;
CREATE TRIGGER report_version_kept BEFORE DELETE ON report_version BEGIN SELECT RAISE(ABORT, 'a signed version is kept'); END;

-- Audit records of terminals, chained per terminal, and of the center itself.
CREATE TABLE audit_record (
  terminal TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  hash     TEXT NOT NULL,
  sent_by  TEXT NOT NULL,
  at       TEXT NOT NULL,
  body     TEXT NOT NULL,
  PRIMARY KEY (terminal, sequence)
) STRICT;
CREATE TRIGGER audit_immutable BEFORE UPDATE ON audit_record BEGIN SELECT RAISE(ABORT, 'audit records are immutable'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit_record BEGIN SELECT RAISE(ABORT, 'audit records are kept'); END;
