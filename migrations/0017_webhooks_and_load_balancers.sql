-- Webhooks: URLs that others send events to. Load balancers' targets: functions behind rules, as behind an ALB.

CREATE TABLE webhooks (
  name        TEXT NOT NULL PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,                     -- what the URL ends with
  settings    TEXT NOT NULL,                            -- JSON: all that the owner says
  is_enabled  INTEGER NOT NULL,
  secrets     BLOB,                                     -- sealed JSON; NULL: senders prove nothing
  created_at  INTEGER NOT NULL,                         -- Unix times in ms
  modified_at INTEGER NOT NULL
) STRICT;

CREATE TRIGGER webhooks_inserted AFTER INSERT ON webhooks
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER webhooks_updated AFTER UPDATE ON webhooks
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER webhooks_deleted AFTER DELETE ON webhooks
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;

CREATE TABLE load_balancers (
  name        TEXT NOT NULL PRIMARY KEY,
  id          TEXT NOT NULL UNIQUE,                     -- 16 hex digits: the end of the target group's ARN
  settings    TEXT NOT NULL,                            -- JSON: all that the owner says
  is_enabled  INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,                         -- Unix times in ms
  modified_at INTEGER NOT NULL
) STRICT;

CREATE TABLE load_balancer_domains (
  host TEXT NOT NULL PRIMARY KEY,                       -- as in DNS
  name TEXT NOT NULL REFERENCES load_balancers (name) ON DELETE CASCADE
) STRICT;

CREATE TRIGGER load_balancers_inserted AFTER INSERT ON load_balancers
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER load_balancers_updated AFTER UPDATE ON load_balancers
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER load_balancers_deleted AFTER DELETE ON load_balancers
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
