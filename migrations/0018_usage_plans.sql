-- Keys that API's callers bring, and plans that say what they open and how much.

CREATE TABLE api_keys (
  id         TEXT NOT NULL PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  value_hash TEXT NOT NULL UNIQUE,                      -- SHA-256, hexadecimal
  body       TEXT NOT NULL                              -- JSON
) STRICT;

CREATE TABLE usage_plans (
  id   TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL                                    -- JSON
) STRICT;

CREATE TABLE usage_plan_keys (
  plan_id TEXT NOT NULL REFERENCES usage_plans (id) ON DELETE CASCADE,
  key_id  TEXT NOT NULL REFERENCES api_keys (id) ON DELETE CASCADE,
  PRIMARY KEY (plan_id, key_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_plan_keys_by_key ON usage_plan_keys (key_id);

-- Another number: something of the above has changed.
CREATE TABLE usage_plan_revision (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO usage_plan_revision (id, revision) VALUES (1, 1);

CREATE TRIGGER api_keys_inserted AFTER INSERT ON api_keys
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER api_keys_updated AFTER UPDATE ON api_keys
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER usage_plans_inserted AFTER INSERT ON usage_plans
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER usage_plans_updated AFTER UPDATE ON usage_plans
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER usage_plans_deleted AFTER DELETE ON usage_plans
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER usage_plan_keys_inserted AFTER INSERT ON usage_plan_keys
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
CREATE TRIGGER usage_plan_keys_deleted AFTER DELETE ON usage_plan_keys
BEGIN UPDATE usage_plan_revision SET revision = revision + 1; END;
