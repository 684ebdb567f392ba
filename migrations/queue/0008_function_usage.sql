-- What functions used, by UTC day: what is billed on AWS. Whole numbers; durations are ms times MiB. A function that is
-- deleted keeps its rows.
CREATE TABLE function_usage (
  day                  INTEGER NOT NULL,  -- since 1970-01-01, UTC
  function_name        TEXT    NOT NULL,
  role                 TEXT    NOT NULL,  -- ARN of the one that it had then, or ''
  architecture         TEXT    NOT NULL,
  requests             INTEGER NOT NULL,
  event_requests       INTEGER NOT NULL,  -- of these: for the size of asynchronous events
  billed_ms            INTEGER NOT NULL,
  duration             INTEGER NOT NULL,  -- on demand
  provisioned_duration INTEGER NOT NULL,
  provisioned          INTEGER NOT NULL,  -- provisioned concurrency that was kept
  ephemeral            INTEGER NOT NULL,  -- ephemeral storage above what is free
  streamed_bytes       INTEGER NOT NULL,
  billed_stream_bytes  INTEGER NOT NULL,  -- of these: beyond what is free in each answer
  PRIMARY KEY (day, function_name, role, architecture)
) STRICT, WITHOUT ROWID;

-- The last counts that were added: the same are not added twice.
CREATE TABLE function_usage_added (
  process  TEXT    NOT NULL PRIMARY KEY,  -- of the gateway, another one at every start
  sequence INTEGER NOT NULL
) STRICT;

-- Provisioned concurrency is billed in blocks of five minutes: those that have begun, and for how much memory.
CREATE TABLE provisioned_blocks (
  function_name TEXT    NOT NULL,
  qualifier     TEXT    NOT NULL,
  started_at    INTEGER NOT NULL,         -- Unix time in ms
  charged_mib   INTEGER NOT NULL,
  PRIMARY KEY (function_name, qualifier)
) STRICT;
