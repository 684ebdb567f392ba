-- Requests that came with an Idempotency-Key, and their answers, for a day.
-- state: 0 is under way, 1 was answered, 2 was answered and the answer is not kept, 3 was cut off by the end of the process.
CREATE TABLE idempotency_keys (
  caller      TEXT    NOT NULL,
  key         TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,          -- of the request, sha256
  state       INTEGER NOT NULL,
  status      INTEGER,
  headers     TEXT,                      -- JSON: name, value, …
  body        BLOB,                      -- sealed where it may hold secrets
  created_at  INTEGER NOT NULL,          -- Unix time in ms
  PRIMARY KEY (caller, key)
) STRICT;

CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
