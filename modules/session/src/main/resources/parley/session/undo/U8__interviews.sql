-- Which interview a session was for is forgotten. Of interviews that two tenants call by the same name one row remains, with
-- what all of them cost.
UPDATE interviews SET realtime_cost_usd = alike.total
  FROM (SELECT id, min(tenant) AS tenant, sum(realtime_cost_usd) AS total FROM interviews GROUP BY id HAVING count(*) > 1) AS alike
  WHERE interviews.id = alike.id AND interviews.tenant = alike.tenant;
DELETE FROM interviews USING interviews AS other WHERE interviews.id = other.id AND interviews.tenant > other.tenant;
ALTER TABLE interviews DROP CONSTRAINT interviews_pkey, ADD PRIMARY KEY (id);
ALTER TABLE interviews DROP COLUMN tenant;
ALTER TABLE sessions DROP COLUMN interview;
