-- Published versions, aliases that point to them, and releases that move an alias from one to another.

-- The newest number that was given out: kept in the $LATEST row, so that a number is never used again.
ALTER TABLE functions ADD COLUMN last_version INTEGER NOT NULL DEFAULT 0;
-- Of a published version: the description that $LATEST had then. The version's own may be another.
ALTER TABLE functions ADD COLUMN latest_description TEXT;

CREATE TABLE aliases (
  function         TEXT NOT NULL,
  name             TEXT NOT NULL,
  version          TEXT NOT NULL,
  weights          TEXT NOT NULL CHECK (json_valid(weights)),  -- share of calls by further version, 0 to 1
  description      TEXT NOT NULL,
  revision_id      TEXT NOT NULL,
  previous_version TEXT,                                       -- what a roll-back goes back to
  PRIMARY KEY (function, name)
) STRICT;

CREATE TABLE releases (
  id         TEXT    NOT NULL PRIMARY KEY,
  function   TEXT    NOT NULL,
  alias      TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('running', 'paused', 'completed', 'rolled-back', 'aborted')),
  step       INTEGER NOT NULL,
  plan       TEXT    NOT NULL CHECK (json_valid(plan)),        -- what was asked for; never changes
  progress   TEXT    NOT NULL CHECK (json_valid(progress)),
  created_at TEXT    NOT NULL                                  -- ISO 8601, UTC
) STRICT;

CREATE INDEX releases_by_function ON releases (function, created_at);
CREATE UNIQUE INDEX releases_under_way ON releases (function, alias) WHERE state IN ('running', 'paused');

CREATE TRIGGER aliases_inserted AFTER INSERT ON aliases
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER aliases_updated AFTER UPDATE ON aliases
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER aliases_deleted AFTER DELETE ON aliases
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function); END;

-- The gateway counts for a release while it is under way, step by step.
CREATE TRIGGER releases_begun AFTER INSERT ON releases
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER releases_moved AFTER UPDATE OF state, step ON releases
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;

-- What belongs to a function goes with it.
CREATE TRIGGER functions_gone AFTER DELETE ON functions WHEN OLD.version = '$LATEST'
BEGIN
  DELETE FROM aliases WHERE function = OLD.name;
  DELETE FROM releases WHERE function = OLD.name;
END;
