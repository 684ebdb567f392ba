-- What is said of log groups. Those that functions made by writing have no row until something is said of them; the
-- events of all of them are in files.

CREATE TABLE log_groups (
  name                 TEXT NOT NULL PRIMARY KEY,
  created_at           INTEGER NOT NULL,                -- Unix ms
  retention_days       INTEGER,                         -- NULL: for ever
  class                TEXT NOT NULL,
  is_deletion_refused  INTEGER NOT NULL,
  tags                 TEXT NOT NULL                    -- JSON
) STRICT;

-- Made by CreateLogStream.
CREATE TABLE log_streams (
  group_name TEXT NOT NULL REFERENCES log_groups (name) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  created_at INTEGER NOT NULL,                          -- Unix ms
  PRIMARY KEY (group_name, name)
) STRICT, WITHOUT ROWID;

-- Events of the group, or of one of its streams, that were taken at this time or before are gone.
CREATE TABLE log_removals (
  group_name  TEXT NOT NULL,
  stream_name TEXT NOT NULL,                            -- '': the whole group
  removed_at  INTEGER NOT NULL,                         -- Unix ms
  PRIMARY KEY (group_name, stream_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE subscription_filters (
  group_name TEXT NOT NULL REFERENCES log_groups (name) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  body       TEXT NOT NULL,                             -- JSON
  PRIMARY KEY (group_name, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric_filters (
  group_name TEXT NOT NULL REFERENCES log_groups (name) ON DELETE CASCADE,
  name       TEXT NOT NULL,
  body       TEXT NOT NULL,                             -- JSON
  PRIMARY KEY (group_name, name)
) STRICT, WITHOUT ROWID;

-- Another number: something of the above has changed.
CREATE TABLE log_revision (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO log_revision (id, revision) VALUES (1, 1);

CREATE TRIGGER log_groups_inserted AFTER INSERT ON log_groups
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_groups_updated AFTER UPDATE ON log_groups
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_groups_deleted AFTER DELETE ON log_groups
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_streams_inserted AFTER INSERT ON log_streams
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_streams_updated AFTER UPDATE ON log_streams
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_streams_deleted AFTER DELETE ON log_streams
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_removals_inserted AFTER INSERT ON log_removals
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_removals_updated AFTER UPDATE ON log_removals
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER log_removals_deleted AFTER DELETE ON log_removals
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER subscription_filters_inserted AFTER INSERT ON subscription_filters
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER subscription_filters_updated AFTER UPDATE ON subscription_filters
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER subscription_filters_deleted AFTER DELETE ON subscription_filters
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER metric_filters_inserted AFTER INSERT ON metric_filters
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER metric_filters_updated AFTER UPDATE ON metric_filters
BEGIN UPDATE log_revision SET revision = revision + 1; END;
CREATE TRIGGER metric_filters_deleted AFTER DELETE ON metric_filters
BEGIN UPDATE log_revision SET revision = revision + 1; END;
