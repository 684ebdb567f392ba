-- How many requests of each API key were let through under each usage plan, by day.
CREATE TABLE usage (
  plan_id TEXT    NOT NULL,
  key_id  TEXT    NOT NULL,
  day     INTEGER NOT NULL,              -- since 1970-01-01, UTC
  used    INTEGER NOT NULL,
  PRIMARY KEY (plan_id, day, key_id)
) STRICT, WITHOUT ROWID;
