-- Functions, the keys that may call, and the trail of what changed, which the gateway follows.

CREATE TABLE functions (
  name               TEXT    NOT NULL,
  version            TEXT    NOT NULL,               -- '$LATEST', or a published number
  runtime            TEXT    NOT NULL,
  handler            TEXT    NOT NULL,
  role               TEXT    NOT NULL,
  description        TEXT    NOT NULL,
  memory_mib         INTEGER NOT NULL CHECK (memory_mib > 0),
  timeout_s          INTEGER NOT NULL CHECK (timeout_s > 0),
  ephemeral_mib      INTEGER NOT NULL CHECK (ephemeral_mib > 0),
  environment        BLOB,                           -- sealed JSON map; NULL when it was never set
  network            TEXT    CHECK (network IN ('none', 'internet')),
  concurrency        INTEGER NOT NULL CHECK (concurrency > 0),
  instances          TEXT    CHECK (instances IN ('process', 'threads')),
  architecture       TEXT    NOT NULL CHECK (architecture IN ('x86_64', 'arm64')),
  tags               TEXT    NOT NULL CHECK (json_valid(tags)),
  tracing            TEXT    NOT NULL CHECK (tracing IN ('PassThrough', 'Active')),
  logging            TEXT    NOT NULL CHECK (json_valid(logging)),
  artifact           TEXT    NOT NULL CHECK (length(artifact) = 64),
  code_sha256        TEXT    NOT NULL,
  code_size          INTEGER NOT NULL,               -- bytes
  revision_id        TEXT    NOT NULL,
  state              TEXT    NOT NULL CHECK (state IN ('Pending', 'Active', 'Failed')),
  last_update_status TEXT    CHECK (last_update_status IN ('Successful', 'InProgress', 'Failed')),
  created_at         TEXT    NOT NULL,               -- ISO 8601, UTC
  last_modified      TEXT    NOT NULL,               -- ISO 8601, UTC
  PRIMARY KEY (name, version)
) STRICT;

CREATE INDEX functions_by_artifact ON functions (artifact);

CREATE TABLE keys (
  access_key_id TEXT NOT NULL PRIMARY KEY,
  secret        BLOB NOT NULL,                       -- sealed; SigV4 needs it in clear to verify
  token_hash    TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  arn           TEXT NOT NULL,
  user_id       TEXT NOT NULL,
  account_id    TEXT NOT NULL,
  status        TEXT NOT NULL CHECK (status IN ('Active', 'Inactive')),
  created_at    TEXT NOT NULL                        -- ISO 8601, UTC
) STRICT;

-- AUTOINCREMENT: a number is never used again, so a reader that fell behind notices it.
CREATE TABLE changes (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('function', 'key')),
  id   TEXT NOT NULL
) STRICT;

CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;

-- Triggers, so that no write can forget to leave its trace in the same transaction.
CREATE TRIGGER functions_inserted AFTER INSERT ON functions
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.name); END;
CREATE TRIGGER functions_updated AFTER UPDATE ON functions
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.name); END;
CREATE TRIGGER functions_deleted AFTER DELETE ON functions
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.name); END;

CREATE TRIGGER keys_inserted AFTER INSERT ON keys
BEGIN INSERT INTO changes (kind, id) VALUES ('key', NEW.access_key_id); END;
CREATE TRIGGER keys_updated AFTER UPDATE ON keys
BEGIN INSERT INTO changes (kind, id) VALUES ('key', NEW.access_key_id); END;
CREATE TRIGGER keys_deleted AFTER DELETE ON keys
BEGIN INSERT INTO changes (kind, id) VALUES ('key', OLD.access_key_id); END;

-- The last 10,000 are kept; a reader that is further behind starts over.
CREATE TRIGGER changes_pruned AFTER INSERT ON changes
BEGIN DELETE FROM changes WHERE seq <= NEW.seq - 10000; END;
