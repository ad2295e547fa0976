-- What is told of sessions from their facts, for people and their reports. Kept by the projections, which also write how
-- far they are, in the same transaction.

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  user_id TEXT NOT NULL,
  face TEXT NOT NULL,
  arm TEXT NOT NULL,
  -- Asked for, then as the provider states it; null: its usual one, and no provider has taken the session.
  model TEXT,
  provider TEXT,
  -- The last that held the session.
  node TEXT,
  opened TIMESTAMPTZ NOT NULL,
  ended TIMESTAMPTZ,
  end_reason TEXT,
  turns INTEGER NOT NULL DEFAULT 0,
  -- Tokens by kind; cached ones are part of those that came in.
  text_in BIGINT NOT NULL DEFAULT 0,
  text_cached BIGINT NOT NULL DEFAULT 0,
  audio_in BIGINT NOT NULL DEFAULT 0,
  audio_cached BIGINT NOT NULL DEFAULT 0,
  image_in BIGINT NOT NULL DEFAULT 0,
  image_cached BIGINT NOT NULL DEFAULT 0,
  text_out BIGINT NOT NULL DEFAULT 0,
  audio_out BIGINT NOT NULL DEFAULT 0,
  transcribed_seconds DOUBLE PRECISION NOT NULL DEFAULT 0,
  cost_usd NUMERIC NOT NULL DEFAULT 0
);

CREATE INDEX sessions_opened_idx ON sessions (opened);

-- One row per thing that was said, written or called; text as it was said, of which heard_ms were heard.
CREATE TABLE turns (
  session TEXT NOT NULL,
  item TEXT NOT NULL,
  number INTEGER NOT NULL,
  role TEXT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  text TEXT,
  spoken_ms BIGINT NOT NULL,
  heard_ms BIGINT NOT NULL,
  interrupted BOOLEAN NOT NULL,
  PRIMARY KEY (session, item)
);

-- One row per response and transcription: the part-th fact of the session's event.
CREATE TABLE costs (
  session TEXT NOT NULL,
  event BIGINT NOT NULL,
  part INTEGER NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  -- UTC.
  day DATE NOT NULL,
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  model TEXT NOT NULL,
  price_version TEXT NOT NULL,
  text_in BIGINT NOT NULL,
  text_cached BIGINT NOT NULL,
  audio_in BIGINT NOT NULL,
  audio_cached BIGINT NOT NULL,
  image_in BIGINT NOT NULL,
  image_cached BIGINT NOT NULL,
  text_out BIGINT NOT NULL,
  audio_out BIGINT NOT NULL,
  transcribed_seconds DOUBLE PRECISION NOT NULL,
  cost_micros BIGINT NOT NULL,
  PRIMARY KEY (session, event, part)
);

CREATE INDEX costs_day_idx ON costs (day, tenant);

-- What sessions are for. Where nothing better is known, each session is an interview of its own id.
CREATE TABLE interviews (
  id TEXT PRIMARY KEY,
  session TEXT NOT NULL,
  realtime_cost_usd NUMERIC NOT NULL DEFAULT 0
);

CREATE INDEX interviews_session_idx ON interviews (session);

CREATE VIEW interview_sessions AS
SELECT interviews.id, interviews.realtime_cost_usd, interviews.session, sessions.tenant, sessions.opened, sessions.ended,
  sessions.end_reason, sessions.turns
FROM interviews LEFT JOIN sessions ON sessions.id = interviews.session;

-- How far the projections are: what Pekko Projection JDBC 1.0 reads and writes.

CREATE TABLE pekko_projection_offset_store (
  projection_name VARCHAR(255) NOT NULL,
  projection_key VARCHAR(255) NOT NULL,
  current_offset VARCHAR(255) NOT NULL,
  manifest VARCHAR(4) NOT NULL,
  mergeable BOOLEAN NOT NULL,
  last_updated BIGINT NOT NULL,
  PRIMARY KEY (projection_name, projection_key)
);

CREATE TABLE pekko_projection_management (
  projection_name VARCHAR(255) NOT NULL,
  projection_key VARCHAR(255) NOT NULL,
  paused BOOLEAN NOT NULL,
  last_updated BIGINT NOT NULL,
  PRIMARY KEY (projection_name, projection_key)
);

-- How long the oldest fact that is not told yet has been waiting.
CREATE VIEW projection_lag AS
SELECT slices.slice, offsets.current_offset::bigint AS told, waiting.event_id AS next,
  CASE WHEN waiting.event_id IS NULL THEN 0
    ELSE greatest(0, extract(epoch FROM clock_timestamp()) - waiting.write_timestamp / 1000.0) END AS behind_seconds
FROM (VALUES ('sessions-0'), ('sessions-1'), ('sessions-2'), ('sessions-3')) AS slices (slice)
LEFT JOIN pekko_projection_offset_store offsets
  ON offsets.projection_name = 'sessions' AND offsets.projection_key = slices.slice
LEFT JOIN LATERAL (
  SELECT event_tag.event_id, event_journal.write_timestamp
  FROM event_tag JOIN event_journal ON event_journal.ordering = event_tag.event_id
  WHERE event_tag.tag = slices.slice AND event_tag.event_id > coalesce(offsets.current_offset::bigint, 0)
  ORDER BY event_tag.event_id LIMIT 1) waiting ON true;

-- Facts of earlier releases have no slice: they get theirs, by the shard in the session's id.
INSERT INTO event_tag (event_id, tag)
SELECT ordering, 'sessions-' || (('x' || lpad(substr(persistence_id, 14, 3), 8, '0'))::bit(32)::int % 4)
FROM event_journal
WHERE persistence_id ~ '^session\|sess_[0-9a-f]{3}[0-9a-z]{19}$'
  AND event_ser_manifest IN (
    'parley.session.SessionEvent$Opened', 'parley.session.SessionEvent$Hosted', 'parley.session.SessionEvent$Told',
    'parley.session.SessionEvent$UpstreamOpened', 'parley.session.SessionEvent$UserSaid',
    'parley.session.SessionEvent$UserTranscribed', 'parley.session.SessionEvent$AgentSaid',
    'parley.session.SessionEvent$AgentCut', 'parley.session.SessionEvent$ToolCalled',
    'parley.session.SessionEvent$ToolAnswered', 'parley.session.SessionEvent$ItemDeleted',
    'parley.session.SessionEvent$Spent', 'parley.session.SessionEvent$Ended')
ON CONFLICT DO NOTHING;
