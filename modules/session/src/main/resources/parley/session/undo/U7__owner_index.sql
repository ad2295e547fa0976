-- The erasure of a user looks through all tags without it.
DROP INDEX IF EXISTS event_tag_owner_idx;
