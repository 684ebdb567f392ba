-- Layers: published code that functions find at /opt, and who may use it.

-- A name's numbers are never given out twice, not even when all of its versions are gone.
CREATE TABLE layers (
  name         TEXT    NOT NULL PRIMARY KEY,
  last_version INTEGER NOT NULL CHECK (last_version > 0)
) STRICT;

CREATE TABLE layer_versions (
  name            TEXT    NOT NULL REFERENCES layers (name),
  version         INTEGER NOT NULL CHECK (version > 0),
  description     TEXT    NOT NULL,
  license         TEXT,
  runtimes        TEXT    CHECK (json_valid(runtimes)),        -- NULL when they were not sent
  architectures   TEXT    CHECK (json_valid(architectures)),   -- likewise
  artifact        TEXT    NOT NULL CHECK (length(artifact) = 64),
  code_sha256     TEXT    NOT NULL,
  code_size       INTEGER NOT NULL,                            -- bytes, as uploaded
  unzipped_size   INTEGER NOT NULL,                            -- bytes
  policy          TEXT    CHECK (json_valid(policy)),          -- statements in order; NULL when there are none
  policy_revision TEXT,
  created_at      TEXT    NOT NULL,                            -- ISO 8601, UTC
  PRIMARY KEY (name, version)
) STRICT;

CREATE INDEX layer_versions_by_artifact ON layer_versions (artifact);

-- What a function took of its layers when they were chosen, so that it goes on when they are deleted.
ALTER TABLE functions ADD COLUMN layers TEXT CHECK (json_valid(layers));

CREATE INDEX functions_by_layer_tree ON functions (json_extract(layers, '$.tree')) WHERE layers IS NOT NULL;
