-- When a session was opened: its first fact is its first row.

DROP INDEX CONCURRENTLY IF EXISTS event_journal_first_idx;
CREATE INDEX CONCURRENTLY event_journal_first_idx ON event_journal (write_timestamp) WHERE sequence_number = 1;
