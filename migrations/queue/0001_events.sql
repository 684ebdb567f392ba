-- Events that were accepted to be run later, and what became of them. The gateway alone writes this file.
-- state: 0 waits, 1 is with the running gateway, 2 succeeded, 3 failed (its payload is kept: it can be redriven).
CREATE TABLE events (
  request_id     TEXT PRIMARY KEY,
  function_name  TEXT NOT NULL,
  qualifier      TEXT NOT NULL,
  state          INTEGER NOT NULL,
  due_at         INTEGER NOT NULL,
  accepted_at    INTEGER NOT NULL,
  started_at     INTEGER,
  ended_at       INTEGER,
  attempts       INTEGER NOT NULL DEFAULT 0,
  throttles      INTEGER NOT NULL DEFAULT 0,
  condition      TEXT,
  error_type     TEXT,
  error_message  TEXT,
  trace_id       TEXT NOT NULL,
  client_context TEXT NOT NULL,
  payload        BLOB
) STRICT;

CREATE INDEX events_due ON events (function_name, due_at) WHERE state = 0;
CREATE INDEX events_claimed ON events (request_id) WHERE state = 1;
CREATE INDEX events_of_function ON events (function_name, accepted_at);
CREATE INDEX events_ended ON events (ended_at) WHERE ended_at IS NOT NULL;
