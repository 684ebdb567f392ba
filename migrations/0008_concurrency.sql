-- How many events of a function may run at once, and how many instances of a version are started ahead.

-- Of the function as a whole, whatever its version. No row: it shares what nobody has reserved.
CREATE TABLE reserved_concurrency (
  function   TEXT    NOT NULL PRIMARY KEY,
  executions INTEGER NOT NULL CHECK (executions >= 0)   -- 0: switched off
) STRICT;

CREATE TABLE provisioned_concurrency (
  function      TEXT    NOT NULL,
  qualifier     TEXT    NOT NULL,                       -- a version's number or an alias
  requested     INTEGER NOT NULL CHECK (requested > 0),
  revision_id   TEXT    NOT NULL,                       -- new whenever other instances are wanted than before
  status        TEXT    NOT NULL CHECK (status IN ('IN_PROGRESS', 'READY', 'FAILED')),
  status_reason TEXT,
  allocated     INTEGER NOT NULL CHECK (allocated >= 0),
  available     INTEGER NOT NULL CHECK (available >= 0),
  last_modified TEXT    NOT NULL,                       -- ISO 8601, UTC; of what was asked for, not of how it goes
  PRIMARY KEY (function, qualifier)
) STRICT;

-- The next function, version or alias of the name must not get what the last one had.
CREATE TRIGGER functions_deleted_concurrency AFTER DELETE ON functions WHEN OLD.version = '$LATEST'
BEGIN
  DELETE FROM reserved_concurrency WHERE function = OLD.name;
  DELETE FROM provisioned_concurrency WHERE function = OLD.name;
END;
CREATE TRIGGER versions_deleted_concurrency AFTER DELETE ON functions WHEN OLD.version <> '$LATEST'
BEGIN DELETE FROM provisioned_concurrency WHERE function = OLD.name AND qualifier = OLD.version; END;
CREATE TRIGGER aliases_deleted_concurrency AFTER DELETE ON aliases
BEGIN DELETE FROM provisioned_concurrency WHERE function = OLD.function AND qualifier = OLD.name; END;

-- What is provisioned follows its alias: of the new version there is nothing yet.
CREATE TRIGGER aliases_moved_concurrency AFTER UPDATE OF version ON aliases WHEN NEW.version <> OLD.version
BEGIN
  UPDATE provisioned_concurrency
  SET revision_id = lower(hex(randomblob(16))), status = 'IN_PROGRESS', status_reason = NULL, allocated = 0, available = 0
  WHERE function = NEW.function AND qualifier = NEW.name;
END;

CREATE TRIGGER reserved_concurrency_inserted AFTER INSERT ON reserved_concurrency
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER reserved_concurrency_updated AFTER UPDATE ON reserved_concurrency
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER reserved_concurrency_deleted AFTER DELETE ON reserved_concurrency
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function); END;

-- How far the gateway has got is no news to it.
CREATE TRIGGER provisioned_concurrency_inserted AFTER INSERT ON provisioned_concurrency
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER provisioned_concurrency_updated AFTER UPDATE OF revision_id ON provisioned_concurrency
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function); END;
CREATE TRIGGER provisioned_concurrency_deleted AFTER DELETE ON provisioned_concurrency
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function); END;
