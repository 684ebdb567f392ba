-- Metrics over time. Each value is in one table row only: rows move to a wider period as they grow old.
CREATE TABLE metric_series (
  id INTEGER PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  -- JSON: pairs of name and value, sorted by name.
  dimensions TEXT NOT NULL,
  -- Unix time in ms of the newest value, exact to an hour.
  last_at INTEGER NOT NULL,
  UNIQUE (namespace, name, dimensions)
) STRICT;

CREATE TABLE metric_points (
  series INTEGER NOT NULL REFERENCES metric_series (id) ON DELETE CASCADE,
  -- Seconds that a row stands for: 1, 60, 300 or 3600.
  period INTEGER NOT NULL,
  -- Unix time in ms of its beginning.
  at INTEGER NOT NULL,
  unit TEXT NOT NULL,
  count REAL NOT NULL,
  sum REAL NOT NULL,
  min REAL NOT NULL,
  max REAL NOT NULL,
  -- Values by frequency; NULL where min = max says it all, or where it is not known.
  distribution BLOB,
  PRIMARY KEY (series, period, at, unit)
) STRICT, WITHOUT ROWID;

-- Reports of the gateway that were taken, so that one that comes again is known.
CREATE TABLE metric_reports (
  id TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX metric_reports_at ON metric_reports (at);
