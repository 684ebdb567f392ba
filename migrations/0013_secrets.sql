-- Secrets and parameters. Values are sealed, each for its own row.

CREATE TABLE secrets (
  name        TEXT    NOT NULL PRIMARY KEY,
  suffix      TEXT    NOT NULL,                      -- six characters: the next secret of the name has another ARN
  description TEXT    NOT NULL,
  tags        TEXT    NOT NULL CHECK (json_valid(tags)),
  created_at  INTEGER NOT NULL,                      -- Unix time in ms, as all times here
  changed_at  INTEGER NOT NULL,
  accessed_at INTEGER,                               -- the day, as on AWS
  deleted_at  INTEGER,                               -- nobody can read it from then on
  purge_at    INTEGER                                -- and until then it can be restored
) STRICT;

CREATE INDEX secrets_to_purge ON secrets (purge_at) WHERE purge_at IS NOT NULL;

CREATE TABLE secret_versions (
  secret      TEXT    NOT NULL REFERENCES secrets (name) ON DELETE CASCADE,
  version_id  TEXT    NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind IN ('string', 'binary')),
  value       BLOB    NOT NULL,                      -- sealed; a binary one as base64
  stages      TEXT    NOT NULL CHECK (json_valid(stages)),
  created_at  INTEGER NOT NULL,
  accessed_at INTEGER,
  PRIMARY KEY (secret, version_id)
) STRICT;

CREATE TABLE parameters (
  name TEXT NOT NULL PRIMARY KEY,
  tags TEXT NOT NULL CHECK (json_valid(tags))
) STRICT;

CREATE TABLE parameter_versions (
  parameter   TEXT    NOT NULL REFERENCES parameters (name) ON DELETE CASCADE,
  version     INTEGER NOT NULL,
  type        TEXT    NOT NULL CHECK (type IN ('String', 'StringList', 'SecureString')),
  value       BLOB    NOT NULL,                      -- sealed, whatever the type
  description TEXT,
  tier        TEXT    NOT NULL CHECK (tier IN ('Standard', 'Advanced')),
  labels      TEXT    NOT NULL CHECK (json_valid(labels)),
  modified_at INTEGER NOT NULL,
  modified_by TEXT    NOT NULL,                      -- an ARN
  PRIMARY KEY (parameter, version)
) STRICT;

-- What the processes of this server share, sealed: it outlives the master key that it was made from.
CREATE TABLE server_secrets (
  name  TEXT NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT;

-- The trail knows two kinds; secrets go with keys. When one was last read is no change, and how it is sealed neither.
CREATE TRIGGER secret_versions_inserted AFTER INSERT ON secret_versions
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'secrets'); END;
CREATE TRIGGER secret_versions_updated AFTER UPDATE OF stages ON secret_versions
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'secrets'); END;
CREATE TRIGGER secret_versions_deleted AFTER DELETE ON secret_versions
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'secrets'); END;
