-- The tables that are told from the journal. Made again, they are told again from its beginning.
DROP VIEW interview_sessions;
DROP VIEW projection_lag;
DROP TABLE sessions, turns, costs, interviews;
DROP TABLE pekko_projection_offset_store, pekko_projection_management;
DELETE FROM event_tag WHERE tag LIKE 'sessions-_';
