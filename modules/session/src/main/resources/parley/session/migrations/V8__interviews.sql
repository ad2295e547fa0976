-- Which interview a session is for, where it is for one; and an interview has one row, whatever sessions it is held in. Two
-- tenants may give theirs the same name.

ALTER TABLE sessions ADD COLUMN interview TEXT;

-- The release before leaves the tenant out.
ALTER TABLE interviews ADD COLUMN tenant TEXT NOT NULL DEFAULT 'default';
UPDATE interviews SET tenant = sessions.tenant FROM sessions WHERE sessions.id = interviews.session;
ALTER TABLE interviews DROP CONSTRAINT interviews_pkey, ADD PRIMARY KEY (tenant, id);
