-- HTTP and WebSocket APIs: a draft of routes, integrations and authorizers, and stages that serve deployments of it.

CREATE TABLE apis (
  id           TEXT NOT NULL PRIMARY KEY,
  name         TEXT NOT NULL,
  protocol     TEXT NOT NULL,
  trigger_name TEXT,                                    -- in /v1/triggers
  body         TEXT NOT NULL,                           -- JSON
  created_at   INTEGER NOT NULL,                        -- Unix time in ms
  UNIQUE (protocol, trigger_name)
) STRICT;

CREATE TABLE api_parts (
  api_id TEXT NOT NULL REFERENCES apis (id) ON DELETE CASCADE,
  kind   TEXT NOT NULL CHECK (kind IN ('route', 'integration', 'authorizer', 'stage', 'deployment')),
  id     TEXT NOT NULL,                                 -- of a stage: its name
  key    TEXT NOT NULL,                                 -- what must be the only one of its kind: a route's key
  body   TEXT NOT NULL,                                 -- JSON
  PRIMARY KEY (api_id, kind, id),
  UNIQUE (api_id, kind, key)
) STRICT;

CREATE TABLE api_domains (
  name TEXT NOT NULL PRIMARY KEY,                       -- as in DNS
  body TEXT NOT NULL                                    -- JSON
) STRICT;

CREATE TABLE api_mappings (
  domain TEXT NOT NULL REFERENCES api_domains (name) ON DELETE CASCADE,
  id     TEXT NOT NULL,
  api_id TEXT NOT NULL REFERENCES apis (id),
  stage  TEXT NOT NULL,
  key    TEXT NOT NULL,                                 -- first part of the path
  PRIMARY KEY (domain, id),
  UNIQUE (domain, key)
) STRICT;
CREATE INDEX api_mappings_by_api ON api_mappings (api_id);

-- Another number: something of the above has changed.
CREATE TABLE api_revision (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO api_revision (id, revision) VALUES (1, 1);

CREATE TRIGGER apis_inserted AFTER INSERT ON apis
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER apis_updated AFTER UPDATE ON apis
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER apis_deleted AFTER DELETE ON apis
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_parts_inserted AFTER INSERT ON api_parts WHEN NEW.kind IN ('stage', 'deployment')
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_parts_updated AFTER UPDATE ON api_parts WHEN NEW.kind IN ('stage', 'deployment')
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_parts_deleted AFTER DELETE ON api_parts WHEN OLD.kind IN ('stage', 'deployment')
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_domains_inserted AFTER INSERT ON api_domains
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_domains_deleted AFTER DELETE ON api_domains
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_mappings_inserted AFTER INSERT ON api_mappings
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_mappings_updated AFTER UPDATE ON api_mappings
BEGIN UPDATE api_revision SET revision = revision + 1; END;
CREATE TRIGGER api_mappings_deleted AFTER DELETE ON api_mappings
BEGIN UPDATE api_revision SET revision = revision + 1; END;
