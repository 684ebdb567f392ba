-- Deliveries of senders who may send one again: written with what was made of the first.
CREATE TABLE receipts (
  key        TEXT    NOT NULL PRIMARY KEY, -- whose, and the sender's own id of it
  first_id   TEXT    NOT NULL,             -- what the sender was told
  expires_at INTEGER NOT NULL              -- Unix time in ms
) STRICT;

CREATE INDEX receipts_by_age ON receipts (expires_at);
