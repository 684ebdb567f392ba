-- Archives of event buses, and their replays. The events themselves are in the gateway's queue.db.

CREATE TABLE event_archives (
  name           TEXT NOT NULL PRIMARY KEY,
  id             TEXT NOT NULL UNIQUE,                  -- the next of its name is another
  bus            TEXT NOT NULL REFERENCES event_buses (name),
  pattern        TEXT,                                  -- JSON; null: all events
  description    TEXT,
  retention_days INTEGER NOT NULL,                      -- 0: for ever
  created_at     INTEGER NOT NULL                       -- Unix times in ms
) STRICT;
CREATE INDEX event_archives_by_bus ON event_archives (bus);

CREATE TABLE event_replays (
  name          TEXT NOT NULL PRIMARY KEY,
  id            TEXT NOT NULL UNIQUE,
  archive       TEXT NOT NULL,                          -- name and id: it may be gone
  archive_id    TEXT NOT NULL,
  bus           TEXT NOT NULL,
  settings      TEXT NOT NULL,                          -- JSON: description, rules, period
  state         TEXT NOT NULL CHECK (state IN ('STARTING', 'RUNNING', 'CANCELLING', 'COMPLETED', 'CANCELLED', 'FAILED')),
  reason        TEXT,
  last_event_at INTEGER,
  started_at    INTEGER NOT NULL,
  ended_at      INTEGER
) STRICT;
CREATE INDEX event_replays_open ON event_replays (archive_id) WHERE ended_at IS NULL;

CREATE TRIGGER event_archives_inserted AFTER INSERT ON event_archives
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_archives_updated AFTER UPDATE ON event_archives
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_archives_deleted AFTER DELETE ON event_archives
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_replays_inserted AFTER INSERT ON event_replays
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_replays_updated AFTER UPDATE ON event_replays
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_replays_deleted AFTER DELETE ON event_replays
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
