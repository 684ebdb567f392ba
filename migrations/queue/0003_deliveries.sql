-- Outcomes on their way to destinations and dead-letter targets: written together with the end of their event.
-- state: 0 waits, 1 is with the running gateway, 2 was delivered, 3 was given up (its body is kept).
CREATE TABLE deliveries (
  id            TEXT PRIMARY KEY,       -- UUID; by it receivers know what they have already
  request_id    TEXT NOT NULL,          -- of the event
  function_name TEXT NOT NULL,
  qualifier     TEXT NOT NULL,
  purpose       TEXT NOT NULL CHECK (purpose IN ('OnSuccess', 'OnFailure', 'DeadLetter')),
  target        TEXT NOT NULL,
  trace_id      TEXT NOT NULL,
  attributes    TEXT NOT NULL,          -- JSON; '' for none
  state         INTEGER NOT NULL,
  due_at        INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  ended_at      INTEGER,
  attempts      INTEGER NOT NULL DEFAULT 0,
  error         TEXT NOT NULL DEFAULT '',
  body          BLOB
) STRICT;

CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 0;
CREATE INDEX deliveries_claimed ON deliveries (id) WHERE state = 1;
CREATE INDEX deliveries_of_event ON deliveries (request_id);
CREATE INDEX deliveries_ended ON deliveries (ended_at) WHERE ended_at IS NOT NULL;

-- With what the backlog's age is read from, and what lists of failed events are.
DROP INDEX events_due;
CREATE INDEX events_due ON events (function_name, due_at, accepted_at) WHERE state = 0;
CREATE INDEX events_failed ON events (function_name, accepted_at) WHERE state = 3;
