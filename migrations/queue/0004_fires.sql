-- The last due time for which each schedule was fired: written with the event that it made, so that there is one event
-- per due time.
CREATE TABLE fires (
  key    TEXT NOT NULL PRIMARY KEY,      -- a schedule, or a target of a rule with one
  due_at INTEGER NOT NULL                -- Unix time in ms
) STRICT;
