-- What starts functions by itself: rules on event buses, and schedules.

CREATE TABLE event_buses (
  name        TEXT NOT NULL PRIMARY KEY,
  description TEXT,
  tags        TEXT NOT NULL DEFAULT '{}',               -- JSON
  created_at  INTEGER NOT NULL,                         -- Unix times in ms
  modified_at INTEGER NOT NULL
) STRICT;

INSERT INTO event_buses (name, created_at, modified_at)
VALUES ('default', CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER));

CREATE TABLE event_rules (
  bus         TEXT NOT NULL REFERENCES event_buses (name),
  name        TEXT NOT NULL,
  id          TEXT NOT NULL UNIQUE,                     -- the next of its name is another
  pattern     TEXT,                                     -- JSON
  schedule    TEXT,                                     -- rate(…) or cron(…)
  is_enabled  INTEGER NOT NULL,
  description TEXT,
  role_arn    TEXT,
  tags        TEXT NOT NULL DEFAULT '{}',               -- JSON
  anchor      INTEGER NOT NULL,                         -- from when a rate counts
  active_from INTEGER NOT NULL,                         -- what was due before is not made up for
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (bus, name),
  CHECK (pattern IS NOT NULL OR schedule IS NOT NULL)
) STRICT;

CREATE TABLE event_targets (
  bus         TEXT NOT NULL,
  rule        TEXT NOT NULL,
  id          TEXT NOT NULL,
  arn         TEXT NOT NULL,
  settings    TEXT NOT NULL,                            -- JSON: input, retries, dead letters
  active_from INTEGER NOT NULL,
  PRIMARY KEY (bus, rule, id),
  FOREIGN KEY (bus, rule) REFERENCES event_rules (bus, name)
) STRICT;
CREATE INDEX event_targets_by_arn ON event_targets (arn);

CREATE TABLE schedule_groups (
  name        TEXT NOT NULL PRIMARY KEY,
  tags        TEXT NOT NULL DEFAULT '{}',               -- JSON
  created_at  INTEGER NOT NULL,
  modified_at INTEGER NOT NULL
) STRICT;

INSERT INTO schedule_groups (name, created_at, modified_at)
VALUES ('default', CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER));

CREATE TABLE schedules (
  group_name  TEXT NOT NULL REFERENCES schedule_groups (name),
  name        TEXT NOT NULL,
  id          TEXT NOT NULL UNIQUE,
  settings    TEXT NOT NULL,                            -- JSON: all that the owner says
  anchor      INTEGER NOT NULL,
  active_from INTEGER NOT NULL,
  created_at  INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  PRIMARY KEY (group_name, name)
) STRICT;

-- Another number: something of the above has changed.
CREATE TABLE trigger_revision (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  revision INTEGER NOT NULL
) STRICT;
INSERT INTO trigger_revision (id, revision) VALUES (1, 1);

CREATE TRIGGER event_buses_inserted AFTER INSERT ON event_buses
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_buses_deleted AFTER DELETE ON event_buses
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_rules_inserted AFTER INSERT ON event_rules
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_rules_updated AFTER UPDATE ON event_rules
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_rules_deleted AFTER DELETE ON event_rules
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_targets_inserted AFTER INSERT ON event_targets
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_targets_updated AFTER UPDATE ON event_targets
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER event_targets_deleted AFTER DELETE ON event_targets
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER schedules_inserted AFTER INSERT ON schedules
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER schedules_updated AFTER UPDATE ON schedules
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
CREATE TRIGGER schedules_deleted AFTER DELETE ON schedules
BEGIN UPDATE trigger_revision SET revision = revision + 1; END;
