-- Whose a session is: the tag of its first fact.

DROP INDEX CONCURRENTLY IF EXISTS event_tag_owner_idx;
CREATE INDEX CONCURRENTLY event_tag_owner_idx ON event_tag (tag) WHERE tag LIKE 'owner:%';
