-- How events of a version or an alias are tried again, and where their outcome goes.

CREATE TABLE event_invoke_configs (
  function_name     TEXT NOT NULL,
  qualifier         TEXT NOT NULL,                      -- $LATEST, a version's number or an alias
  max_retries       INTEGER CHECK (max_retries BETWEEN 0 AND 2),
  max_age_s         INTEGER CHECK (max_age_s BETWEEN 60 AND 21600),
  on_success        TEXT,                               -- an ARN, or the URL of a webhook
  on_success_secret BLOB,                               -- sealed; of a webhook
  on_failure        TEXT,
  on_failure_secret BLOB,
  last_modified     TEXT NOT NULL,                      -- ISO 8601, UTC
  PRIMARY KEY (function_name, qualifier)
) STRICT;

-- Where events of this version go that could not be run: an ARN.
ALTER TABLE functions ADD COLUMN dead_letter_target TEXT;

-- The next function, version or alias of the name must not send its events to where the last one's went.
CREATE TRIGGER functions_deleted_event_configs AFTER DELETE ON functions WHEN OLD.version = '$LATEST'
BEGIN DELETE FROM event_invoke_configs WHERE function_name = OLD.name; END;
CREATE TRIGGER versions_deleted_event_configs AFTER DELETE ON functions WHEN OLD.version <> '$LATEST'
BEGIN DELETE FROM event_invoke_configs WHERE function_name = OLD.name AND qualifier = OLD.version; END;
CREATE TRIGGER aliases_deleted_event_configs AFTER DELETE ON aliases
BEGIN DELETE FROM event_invoke_configs WHERE function_name = OLD.function AND qualifier = OLD.name; END;

-- They are part of what changed about a function, and so is whether it may call itself.
CREATE TRIGGER event_configs_inserted AFTER INSERT ON event_invoke_configs
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function_name); END;
CREATE TRIGGER event_configs_updated AFTER UPDATE ON event_invoke_configs
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function_name); END;
CREATE TRIGGER event_configs_deleted AFTER DELETE ON event_invoke_configs
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function_name); END;
CREATE TRIGGER function_options_inserted AFTER INSERT ON function_options
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.name); END;
CREATE TRIGGER function_options_updated AFTER UPDATE OF recursive_loop ON function_options
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.name); END;
