-- Who may do what with a function, a version or an alias: statements of resource policies.

CREATE TABLE function_policies (
  function    TEXT NOT NULL,
  qualifier   TEXT NOT NULL,                            -- a version's number or an alias; '' for the function itself
  revision_id TEXT NOT NULL,
  statements  TEXT NOT NULL CHECK (json_valid(statements)), -- in order, never none
  PRIMARY KEY (function, qualifier)
) STRICT;

-- The next function, version or alias of the name must not be open to whom the last one was.
CREATE TRIGGER functions_deleted_policies AFTER DELETE ON functions WHEN OLD.version = '$LATEST'
BEGIN DELETE FROM function_policies WHERE function = OLD.name; END;
CREATE TRIGGER versions_deleted_policies AFTER DELETE ON functions WHEN OLD.version <> '$LATEST'
BEGIN DELETE FROM function_policies WHERE function = OLD.name AND qualifier = OLD.version; END;
CREATE TRIGGER aliases_deleted_policies AFTER DELETE ON aliases
BEGIN DELETE FROM function_policies WHERE function = OLD.function AND qualifier = OLD.name; END;
