-- Events that archives of event buses keep, and how far their replays are.
CREATE TABLE archived_events (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which they came
  archive     TEXT NOT NULL,                     -- its id
  event_at    INTEGER NOT NULL,                  -- the event's own time; all times are Unix times in ms
  archived_at INTEGER NOT NULL,
  event       BLOB NOT NULL                      -- JSON
) STRICT;

CREATE INDEX archived_events_by_time ON archived_events (archive, event_at);
CREATE INDEX archived_events_by_age ON archived_events (archive, archived_at);

-- What is in each archive, so that nobody counts.
CREATE TABLE archives (
  id     TEXT NOT NULL PRIMARY KEY,
  events INTEGER NOT NULL,
  bytes  INTEGER NOT NULL
) STRICT;

CREATE TABLE replays (
  id        TEXT NOT NULL PRIMARY KEY,
  last_seq  INTEGER NOT NULL,                    -- what came after it began is not of it
  event_at  INTEGER,                             -- the last event that was replayed, and its seq
  event_seq INTEGER,
  state     TEXT NOT NULL CHECK (state IN ('RUNNING', 'COMPLETED', 'CANCELLED', 'FAILED')),
  reason    TEXT NOT NULL DEFAULT '',
  ended_at  INTEGER
) STRICT;
