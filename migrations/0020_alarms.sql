-- Alarms on metrics: what they watch, their state, what became of it, and what is to be sent because of it.

CREATE TABLE alarms (
  name            TEXT NOT NULL PRIMARY KEY,
  id              TEXT NOT NULL UNIQUE,                 -- the next of its name is another
  type            TEXT NOT NULL CHECK (type IN ('MetricAlarm', 'CompositeAlarm')),
  settings        TEXT NOT NULL,                        -- JSON
  tags            TEXT NOT NULL,                        -- JSON
  state           TEXT NOT NULL CHECK (state IN ('OK', 'ALARM', 'INSUFFICIENT_DATA')),
  reason          TEXT NOT NULL,
  reason_data     TEXT,                                 -- JSON
  updated_at      INTEGER NOT NULL,                     -- Unix times in ms
  transitioned_at INTEGER NOT NULL,
  configured_at   INTEGER NOT NULL
) STRICT;

-- What the messages to a webhook are signed with.
CREATE TABLE alarm_webhooks (
  alarm  TEXT NOT NULL REFERENCES alarms (name) ON DELETE CASCADE,
  url    TEXT NOT NULL,
  secret BLOB NOT NULL,                                 -- sealed
  PRIMARY KEY (alarm, url)
) STRICT;

-- Stays when its alarm goes.
CREATE TABLE alarm_history (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  alarm      TEXT NOT NULL,
  alarm_type TEXT NOT NULL,
  at         INTEGER NOT NULL,
  type       TEXT NOT NULL CHECK (type IN ('ConfigurationUpdate', 'StateUpdate', 'Action')),
  summary    TEXT NOT NULL,
  data       TEXT NOT NULL                              -- JSON
) STRICT;
CREATE INDEX alarm_history_by_alarm ON alarm_history (alarm, id);

-- Written with the change of state that it tells of, and removed when it has arrived or is given up.
CREATE TABLE alarm_sendings (
  id         TEXT NOT NULL PRIMARY KEY,
  alarm      TEXT NOT NULL,
  alarm_type TEXT NOT NULL,
  kind       TEXT NOT NULL CHECK (kind IN ('action', 'event')),
  target     TEXT NOT NULL,
  body       TEXT NOT NULL,                             -- JSON
  created_at INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL
) STRICT;
CREATE INDEX alarm_sendings_due ON alarm_sendings (due_at);
