-- What was removed before it was read is said by the group itself: whether the last event was the end says nothing more.
ALTER TABLE log_cursors DROP COLUMN is_at_end;
