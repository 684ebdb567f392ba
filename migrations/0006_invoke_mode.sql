-- Whether a function's URL sends the answer as it comes.

ALTER TABLE functions ADD COLUMN invoke_mode TEXT NOT NULL DEFAULT 'BUFFERED'
  CHECK (invoke_mode IN ('BUFFERED', 'RESPONSE_STREAM'));
