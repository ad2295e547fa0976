-- The sweep for sessions that nobody watches looks through the whole journal without it.
DROP INDEX IF EXISTS event_journal_first_idx;
