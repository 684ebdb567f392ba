-- What a function is told beside its configuration, and code signing configs.

ALTER TABLE functions ADD COLUMN snap_start TEXT NOT NULL DEFAULT 'None'
  CHECK (snap_start IN ('None', 'PublishedVersions'));

CREATE TABLE code_signing_configs (
  id             TEXT NOT NULL PRIMARY KEY,           -- csc- and 17 of [a-z0-9]
  description    TEXT NOT NULL,
  publishers     TEXT NOT NULL CHECK (json_valid(publishers)), -- ARNs of signing profile versions
  untrusted      TEXT NOT NULL CHECK (untrusted IN ('Warn', 'Enforce')),
  tags           TEXT NOT NULL CHECK (json_valid(tags)),
  last_modified  TEXT NOT NULL                        -- ISO 8601, UTC
) STRICT;

-- Of the function as a whole, whatever its version. No row: the defaults.
CREATE TABLE function_options (
  name           TEXT NOT NULL PRIMARY KEY,
  recursive_loop TEXT CHECK (recursive_loop IN ('Allow', 'Terminate')),
  code_signing   TEXT REFERENCES code_signing_configs (id)
) STRICT;

CREATE INDEX function_options_by_code_signing ON function_options (code_signing, name);

-- Of one version. No row: Auto.
CREATE TABLE runtime_updates (
  name      TEXT NOT NULL,
  version   TEXT NOT NULL,
  update_on TEXT NOT NULL CHECK (update_on IN ('Auto', 'FunctionUpdate')),
  PRIMARY KEY (name, version)
) STRICT;

-- Triggers, so that no way of deleting a function can leave them to the next one of its name.
CREATE TRIGGER functions_deleted_options AFTER DELETE ON functions WHEN OLD.version = '$LATEST'
BEGIN DELETE FROM function_options WHERE name = OLD.name; END;
CREATE TRIGGER functions_deleted_runtime_updates AFTER DELETE ON functions
BEGIN DELETE FROM runtime_updates WHERE name = OLD.name AND version = OLD.version; END;
