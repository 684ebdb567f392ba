-- What functions may use or cost in a period, and who is told when they come near it.
CREATE TABLE budgets (
  name        TEXT    NOT NULL PRIMARY KEY,
  settings    TEXT    NOT NULL CHECK (json_valid(settings)),
  secret      BLOB,                                 -- of a webhook, sealed
  created_at  INTEGER NOT NULL,                     -- Unix times in ms
  modified_at INTEGER NOT NULL
) STRICT;

-- Thresholds that were crossed, each once in a period, and whether that was told. Its rows go with the budget.
CREATE TABLE budget_alerts (
  id         TEXT    NOT NULL PRIMARY KEY,          -- UUID; by it receivers know what they have already
  budget     TEXT    NOT NULL REFERENCES budgets (name) ON DELETE CASCADE,
  period     INTEGER NOT NULL,                      -- its first day since 1970-01-01, UTC
  threshold  REAL    NOT NULL,                      -- percent
  target     TEXT    NOT NULL,
  body       TEXT    NOT NULL,
  state      TEXT    NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
  created_at INTEGER NOT NULL,
  due_at     INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,            -- that have failed
  error      TEXT    NOT NULL DEFAULT '',           -- of the last one
  UNIQUE (budget, period, threshold)
) STRICT;

CREATE INDEX budget_alerts_due ON budget_alerts (due_at) WHERE state = 'waiting';
