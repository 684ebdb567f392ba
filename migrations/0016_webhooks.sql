-- Webhooks: URLs that others send events to.

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
