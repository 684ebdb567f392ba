-- Function URLs, and other host names for them.

CREATE TABLE function_urls (
  id            TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
  function_name TEXT NOT NULL,
  qualifier     TEXT NOT NULL,                       -- name of an alias; '' for the function itself
  auth_type     TEXT NOT NULL CHECK (auth_type IN ('NONE', 'AWS_IAM')),
  cors          TEXT CHECK (json_valid(cors)),       -- NULL when it is not configured
  invoke_mode   TEXT NOT NULL CHECK (invoke_mode IN ('BUFFERED', 'RESPONSE_STREAM')),
  created_at    TEXT NOT NULL,                       -- ISO 8601, UTC
  last_modified TEXT NOT NULL,                       -- ISO 8601, UTC
  UNIQUE (function_name, qualifier)
) STRICT;

CREATE TABLE domains (
  host          TEXT NOT NULL PRIMARY KEY,           -- lower case, as in DNS
  function_name TEXT NOT NULL,
  qualifier     TEXT NOT NULL,                       -- as in function_urls
  created_at    TEXT NOT NULL                        -- ISO 8601, UTC
) STRICT;

CREATE INDEX domains_by_function ON domains (function_name, qualifier);

-- The next function of the name must not be public because the last one was.
CREATE TRIGGER functions_deleted_urls AFTER DELETE ON functions WHEN OLD.version = '$LATEST'
BEGIN
  DELETE FROM function_urls WHERE function_name = OLD.name;
  DELETE FROM domains WHERE function_name = OLD.name;
END;

-- A function's URLs are part of what changed about it.
CREATE TRIGGER function_urls_inserted AFTER INSERT ON function_urls
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function_name); END;
CREATE TRIGGER function_urls_updated AFTER UPDATE ON function_urls
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function_name); END;
CREATE TRIGGER function_urls_deleted AFTER DELETE ON function_urls
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function_name); END;

CREATE TRIGGER domains_inserted AFTER INSERT ON domains
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function_name); END;
CREATE TRIGGER domains_updated AFTER UPDATE ON domains
BEGIN INSERT INTO changes (kind, id) VALUES ('function', NEW.function_name); END;
CREATE TRIGGER domains_deleted AFTER DELETE ON domains
BEGIN INSERT INTO changes (kind, id) VALUES ('function', OLD.function_name); END;
