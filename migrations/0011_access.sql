-- Users, roles and the policies that say what they may do. No account id: ARNs are made with the server's own.
-- What belongs to a user or role hangs on its unique id, so that the next of its name inherits nothing.

CREATE TABLE users (
  name       TEXT NOT NULL PRIMARY KEY,
  path       TEXT NOT NULL,
  user_id    TEXT NOT NULL UNIQUE,                   -- AIDA…
  tags       TEXT NOT NULL CHECK (json_valid(tags)),
  boundary   TEXT,                                   -- a policy, as in attachments
  created_at TEXT NOT NULL                           -- ISO 8601, UTC
) STRICT;

CREATE UNIQUE INDEX users_in_any_case ON users (name COLLATE NOCASE);

CREATE TABLE roles (
  name             TEXT    NOT NULL PRIMARY KEY,
  path             TEXT    NOT NULL,
  role_id          TEXT    NOT NULL UNIQUE,          -- AROA…
  trust            TEXT    NOT NULL,                 -- the document as it was sent
  description      TEXT,
  max_session_s    INTEGER NOT NULL CHECK (max_session_s BETWEEN 3600 AND 43200),
  tags             TEXT    NOT NULL CHECK (json_valid(tags)),
  boundary         TEXT,
  sessions_from    TEXT    NOT NULL,                 -- sessions that were issued before are refused
  created_at       TEXT    NOT NULL,
  last_used_at     TEXT,
  last_used_region TEXT
) STRICT;

CREATE UNIQUE INDEX roles_in_any_case ON roles (name COLLATE NOCASE);

-- Those of this server; AWS's own are part of the program.
CREATE TABLE policies (
  name            TEXT    NOT NULL PRIMARY KEY,
  path            TEXT    NOT NULL,
  policy_id       TEXT    NOT NULL UNIQUE,           -- ANPA…
  description     TEXT,
  default_version INTEGER NOT NULL,
  last_version    INTEGER NOT NULL,                  -- a number is never used again
  tags            TEXT    NOT NULL CHECK (json_valid(tags)),
  created_at      TEXT    NOT NULL,
  updated_at      TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX policies_in_any_case ON policies (name COLLATE NOCASE);

CREATE TABLE policy_versions (
  policy     TEXT    NOT NULL,
  version    INTEGER NOT NULL,
  document   TEXT    NOT NULL,
  created_at TEXT    NOT NULL,
  PRIMARY KEY (policy, version)
) STRICT;

CREATE TABLE inline_policies (
  owner    TEXT NOT NULL,                            -- user_id or role_id
  name     TEXT NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (owner, name)
) STRICT;

CREATE TABLE attachments (
  owner  TEXT NOT NULL,                              -- user_id or role_id
  policy TEXT NOT NULL,                              -- the name of one of this server's, or the ARN of one of AWS's
  PRIMARY KEY (owner, policy)
) STRICT;

CREATE INDEX attachments_by_policy ON attachments (policy);

-- Until now there was one user, whom all keys belong to.
INSERT INTO users (name, path, user_id, tags, created_at)
SELECT 'admin', '/', 'AIDAHEARTHADMIN', '{}', min(created_at) FROM keys HAVING count(*) > 0;
INSERT INTO attachments (owner, policy)
SELECT user_id, 'arn:aws:iam::aws:policy/AdministratorAccess' FROM users;

CREATE TABLE new_keys (
  access_key_id     TEXT NOT NULL PRIMARY KEY,
  secret            BLOB NOT NULL,                   -- sealed; SigV4 needs it in clear to verify
  token_hash        TEXT NOT NULL UNIQUE CHECK (length(token_hash) = 64),
  user_name         TEXT NOT NULL REFERENCES users (name) ON UPDATE CASCADE,
  account_id        TEXT NOT NULL,
  status            TEXT NOT NULL CHECK (status IN ('Active', 'Inactive')),
  label             TEXT,
  created_at        TEXT NOT NULL,                   -- ISO 8601, UTC
  expires_at        TEXT,
  last_used_at      TEXT,
  last_used_service TEXT,
  last_used_region  TEXT
) STRICT;

INSERT INTO new_keys (access_key_id, secret, token_hash, user_name, account_id, status, created_at)
SELECT access_key_id, secret, token_hash, 'admin', account_id, status, created_at FROM keys;
DROP TABLE keys;
ALTER TABLE new_keys RENAME TO keys;

CREATE INDEX keys_by_user ON keys (user_name);

-- The trail knows two kinds; principals go with keys. When something was last used is no change.
CREATE TRIGGER keys_inserted AFTER INSERT ON keys
BEGIN INSERT INTO changes (kind, id) VALUES ('key', NEW.access_key_id); END;
CREATE TRIGGER keys_updated AFTER UPDATE OF secret, token_hash, user_name, account_id, status, label, expires_at ON keys
BEGIN INSERT INTO changes (kind, id) VALUES ('key', NEW.access_key_id); END;
CREATE TRIGGER keys_deleted AFTER DELETE ON keys
BEGIN INSERT INTO changes (kind, id) VALUES ('key', OLD.access_key_id); END;

CREATE TRIGGER users_inserted AFTER INSERT ON users
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER users_updated AFTER UPDATE ON users
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER users_deleted AFTER DELETE ON users
BEGIN
  DELETE FROM inline_policies WHERE owner = OLD.user_id;
  DELETE FROM attachments WHERE owner = OLD.user_id;
  INSERT INTO changes (kind, id) VALUES ('key', 'principals');
END;

CREATE TRIGGER roles_inserted AFTER INSERT ON roles
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER roles_updated
AFTER UPDATE OF name, path, role_id, trust, description, max_session_s, tags, boundary, sessions_from ON roles
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER roles_deleted AFTER DELETE ON roles
BEGIN
  DELETE FROM inline_policies WHERE owner = OLD.role_id;
  DELETE FROM attachments WHERE owner = OLD.role_id;
  INSERT INTO changes (kind, id) VALUES ('key', 'principals');
END;

CREATE TRIGGER policies_inserted AFTER INSERT ON policies
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER policies_updated AFTER UPDATE ON policies
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER policies_deleted AFTER DELETE ON policies
BEGIN
  DELETE FROM policy_versions WHERE policy = OLD.name;
  DELETE FROM attachments WHERE policy = OLD.name;
  INSERT INTO changes (kind, id) VALUES ('key', 'principals');
END;

CREATE TRIGGER policy_versions_inserted AFTER INSERT ON policy_versions
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER policy_versions_updated AFTER UPDATE ON policy_versions
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER policy_versions_deleted AFTER DELETE ON policy_versions
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;

CREATE TRIGGER inline_policies_inserted AFTER INSERT ON inline_policies
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER inline_policies_updated AFTER UPDATE ON inline_policies
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER inline_policies_deleted AFTER DELETE ON inline_policies
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;

CREATE TRIGGER attachments_inserted AFTER INSERT ON attachments
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
CREATE TRIGGER attachments_deleted AFTER DELETE ON attachments
BEGIN INSERT INTO changes (kind, id) VALUES ('key', 'principals'); END;
