-- Who follows logs, and how far each is.
CREATE TABLE log_readers (
  name TEXT PRIMARY KEY,
  -- Unix time in ms: events that were taken before are not for it.
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_cursors (
  reader TEXT NOT NULL REFERENCES log_readers (name) ON DELETE CASCADE,
  group_name TEXT NOT NULL,
  -- The last event that is done.
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  -- 1: it was the last one there was.
  is_at_end INTEGER NOT NULL,
  -- The last event of what is under way, which is done again as it was; NULL: nothing is.
  until_segment INTEGER,
  until_offset INTEGER,
  PRIMARY KEY (reader, group_name)
) STRICT, WITHOUT ROWID;

-- Minutes in which a metric filter with a default value had events. One without a match gets the default.
CREATE TABLE metric_filter_minutes (
  group_name TEXT NOT NULL,
  filter TEXT NOT NULL,
  -- Unix time in ms of its beginning.
  minute INTEGER NOT NULL,
  is_matched INTEGER NOT NULL,
  -- Unix time in ms when its last event was read.
  touched_at INTEGER NOT NULL,
  PRIMARY KEY (group_name, filter, minute)
) STRICT, WITHOUT ROWID;
