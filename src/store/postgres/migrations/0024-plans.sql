-- Plans, their kept texts and the reports to them (store/plans.ts, plans.ts, commit.ts).

CREATE TABLE {{schema}}.plan (
  -- The order of listings.
  seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  key text NOT NULL UNIQUE,
  kind text NOT NULL,
  label text NOT NULL,
  state text NOT NULL,
  -- 0 only inside the transaction that adds it.
  version bigint NOT NULL,
  value text NOT NULL,
  wake_at bigint,
  expires_at bigint,
  created_at bigint NOT NULL,
  updated_at bigint NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX plan_listed ON {{schema}}.plan (kind, label, seq);
CREATE INDEX plan_wake ON {{schema}}.plan (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX plan_expires ON {{schema}}.plan (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE {{schema}}.plan_text (
  plan text NOT NULL,
  name text NOT NULL,
  content text NOT NULL,
  PRIMARY KEY (plan, name)
);

-- What ended or was told, until a planner took it in. Only ever added and deleted, so ten thousand ends of one fan-out do
-- not wait for each other.
CREATE TABLE {{schema}}.report (
  no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  plan text NOT NULL,
  -- What of the plan it is about.
  part text NOT NULL,
  job uuid,
  state text NOT NULL,
  result text,
  -- JSON, as AttemptError.
  error text,
  attempt integer NOT NULL,
  started_at bigint,
  at bigint NOT NULL
);

CREATE INDEX report_plan ON {{schema}}.report (plan, no);

ALTER TABLE {{schema}}.plan SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 1);
ALTER TABLE {{schema}}.report SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 1);

-- As plan_ref, for a meta that names a plan in another way than JSON.stringify writes most. Texts of the meta may have what
-- JSON can write and a text of PostgreSQL cannot hold: halves of surrogate pairs and NUL. Null for a meta that is damaged.
CREATE FUNCTION {{schema}}.plan_ref_read(meta text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN regexp_replace(meta, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g')::json->>'plan';
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END $$;

-- The plan and the part that a job's meta names, divided by U+001F; null for a job that reports to nobody. Quotes inside of
-- other texts are escaped, so they do not fit; what is damaged may still name its plan.
CREATE FUNCTION {{schema}}.plan_ref(meta text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN meta LIKE '%"plan"%' THEN coalesce(
    replace(substring(meta FROM '"plan":"([^"\\]*\\u001f[^"\\]*)"'), '\u001f', E'\x1f'), {{schema}}.plan_ref_read(meta)) END
$$;

-- The one way in which jobs that ended, or go without having ended, report: lists of equal length, one entry a job. A plan
-- that does not exist takes no report. Whether there was one to add.
CREATE FUNCTION {{schema}}.report_ends(metas text[], ids uuid[], states text[], results text[], errors text[],
  attempts integer[], starts bigint[], ended_at bigint)
RETURNS boolean LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  INSERT INTO {{schema}}.report (plan, part, job, state, result, error, attempt, started_at, at)
  SELECT split_part(ended.ref, E'\x1f', 1), split_part(ended.ref, E'\x1f', 2), ended.id, ended.state, ended.result, ended.error,
    ended.attempt, ended.started_at, ended_at
  FROM (
    SELECT {{schema}}.plan_ref(given.meta) AS ref, given.* FROM unnest(metas, ids, states, results, errors, attempts, starts)
      WITH ORDINALITY AS given (meta, id, state, result, error, attempt, started_at, place)) AS ended
  WHERE ended.ref IS NOT NULL AND EXISTS (SELECT FROM {{schema}}.plan WHERE plan.key = split_part(ended.ref, E'\x1f', 1))
  ORDER BY ended.place;
  RETURN FOUND;
END $$;

-- The last error of a job that lives, as it is reported; null where it has none.
CREATE FUNCTION {{schema}}.last_error(of_seq bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT entry FROM {{schema}}.job_trail WHERE seq = of_seq AND kind = 'error' ORDER BY nth DESC LIMIT 1
$$;

-- Store.commit for any units without an outcome: a JSON array of units, whose plans are at the version 0 where they must not
-- exist. Tells, for each unit from 1, whether it was committed and what became of its jobs and reports; the last row, with
-- place 0, has the topics of the hints.
CREATE FUNCTION {{schema}}.commit_units(units json, given_now bigint, sender text)
RETURNS TABLE (place bigint, committed boolean, enqueued json, reported json) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  unit record;
  topics text[] := '{}';
  specs json[] := '{}';
  owners bigint[] := '{}';
  -- By unit.
  fits boolean[] := '{}';
  told json[] := '{}';
  added json;
BEGIN
  -- A plan that must not exist is added first, so that of two who add it at a time one waits for the other.
  INSERT INTO {{schema}}.plan (key, kind, label, state, version, value, created_at, updated_at)
  SELECT DISTINCT change->>'key', '', '', '', 0, '', at, at
  FROM json_array_elements(units) AS of_unit, json_array_elements(of_unit->'plans') AS change
  WHERE (change->>'version')::bigint = 0 ORDER BY 1
  ON CONFLICT (key) DO NOTHING;
  PERFORM FROM {{schema}}.plan WHERE key IN (
    SELECT change->>'key' FROM json_array_elements(units) AS of_unit, json_array_elements(of_unit->'plans') AS change)
  ORDER BY key FOR UPDATE;
  FOR unit IN SELECT * FROM json_array_elements(units) WITH ORDINALITY AS list (body, number) LOOP
    IF EXISTS (
      SELECT FROM json_array_elements(unit.body->'plans') AS change
      LEFT JOIN {{schema}}.plan ON plan.key = change->>'key'
      WHERE coalesce(plan.version, 0) <> (change->>'version')::bigint)
    THEN
      fits := fits || false;
      told := told || '[]'::json;
      CONTINUE;
    END IF;
    fits := fits || true;
    topics := topics || {{schema}}.write_plans(unit.body->'plans', at);
    told := told || CASE WHEN json_array_length(unit.body->'reports') = 0 THEN '[]'::json
      ELSE {{schema}}.tell_plans(unit.body->'reports', at) END;
  END LOOP;
  -- All at once: a list that grows by a unit at a time is copied each time.
  SELECT coalesce(array_agg(spec ORDER BY number, nth), '{}'), coalesce(array_agg(number ORDER BY number, nth), '{}')
  INTO specs, owners
  FROM json_array_elements(units) WITH ORDINALITY AS list (body, number),
    json_array_elements(body->'enqueue') WITH ORDINALITY AS of_unit (spec, nth)
  WHERE fits[number];
  DELETE FROM {{schema}}.plan WHERE version = 0 AND key IN (
    SELECT change->>'key' FROM json_array_elements(units) AS of_unit, json_array_elements(of_unit->'plans') AS change);
  IF cardinality(specs) > 0 THEN
    -- One by one where an id stands there twice: then the second one meets the first.
    SELECT json_agg(json_build_object('place', row.place, 'status', row.status, 'id', row.id, 'state', row.state)) INTO added
    FROM {{schema}}.enqueue_batch(array_to_json(specs)::text,
      CASE WHEN (SELECT count(DISTINCT spec->>'id') FROM unnest(specs) AS spec) = cardinality(specs) THEN 1 ELSE 2 END,
      false, at, NULL) AS row
    WHERE row.status <> 'created' OR row.state <> 'ready';
    topics := topics || 'ready'::text;
  END IF;
  FOR place IN 1 .. cardinality(fits) LOOP
    committed := fits[place];
    reported := told[place];
    enqueued := '[]';
    -- Only what is not simply created and ready is told: where it stands in the unit, from 1.
    IF added IS NOT NULL THEN SELECT coalesce(json_agg(row), '[]') INTO enqueued FROM (
      SELECT (row->>'place')::bigint - (SELECT count(*) FROM unnest(owners) AS owner WHERE owner < place) AS place,
        row->>'status' AS status, row->>'id' AS id, row->>'state' AS state
      FROM json_array_elements(added) AS row WHERE owners[(row->>'place')::bigint] = place) AS row;
    END IF;
    RETURN NEXT;
  END LOOP;
  IF json_array_length(array_to_json(told)) > 0 AND array_to_json(told)::text LIKE '%true%' THEN topics := topics || 'plan'::text; END IF;
  place := 0;
  committed := true;
  enqueued := array_to_json(ARRAY(SELECT DISTINCT topic FROM unnest(topics) AS topic));
  reported := NULL;
  IF sender IS NOT NULL AND cardinality(topics) > 0 THEN
    PERFORM {{schema}}.hint(sender, (SELECT string_agg(DISTINCT topic, ',') FROM unnest(topics) AS topic));
  END IF;
  RETURN NEXT;
END $$;

-- Writes changes of plans whose rows the transaction has locked, at the versions they are at. Returns the topics. This and
-- tell_plans are called by commit_units alone, which has said how to plan.
CREATE FUNCTION {{schema}}.write_plans(changes json, at bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  change record;
  topics text[] := '{}';
BEGIN
  FOR change IN
    SELECT * FROM json_to_recordset(changes) AS given (key text, kind text, label text, state text, version bigint,
      value text, "wakeAt" float8, "expiresAt" float8, taken json, keep json)
  LOOP
    topics := topics || 'plan'::text;
    IF change.value IS NULL THEN
      PERFORM {{schema}}.remove_plan(change.key);
      CONTINUE;
    END IF;
    UPDATE {{schema}}.plan SET kind = change.kind, label = change.label, state = change.state, version = change.version + 1,
      value = change.value, wake_at = ceil(change."wakeAt")::bigint, expires_at = ceil(change."expiresAt")::bigint,
      created_at = CASE WHEN change.version = 0 THEN at ELSE created_at END, updated_at = at
    WHERE plan.key = change.key;
    IF change."expiresAt" IS NOT NULL THEN topics := topics || 'planEnded'::text; END IF;
    IF json_array_length(change.taken) > 0 THEN
      DELETE FROM {{schema}}.report WHERE no IN (SELECT value::bigint FROM json_array_elements_text(change.taken) AS list (value));
    END IF;
    IF json_array_length(change.keep) > 0 THEN
      DELETE FROM {{schema}}.plan_text WHERE plan_text.plan = change.key AND plan_text.name IN (
        SELECT kept.name FROM json_to_recordset(change.keep) AS kept (name text));
      INSERT INTO {{schema}}.plan_text (plan, name, content)
      SELECT change.key, kept.name, kept.text FROM json_to_recordset(change.keep) AS kept (name text, text text)
      WHERE kept.text IS NOT NULL;
    END IF;
  END LOOP;
  RETURN topics;
END $$;

-- Reports that no job's end makes; for each whether its plan exists.
CREATE FUNCTION {{schema}}.tell_plans(reports json, at bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  known boolean[] := ARRAY(
    SELECT EXISTS (SELECT FROM {{schema}}.plan WHERE plan.key = given->>'plan' AND plan.version > 0)
    FROM json_array_elements(reports) WITH ORDINALITY AS list (given, place) ORDER BY place);
BEGIN
  INSERT INTO {{schema}}.report (plan, part, state, result, error, attempt, at)
  SELECT given->>'plan', given->>'as', given->>'state', given->>'result', nullif(given->>'error', 'null'), 0, at
  FROM json_array_elements(reports) WITH ORDINALITY AS list (given, place) WHERE known[place] ORDER BY place;
  RETURN array_to_json(known);
END $$;

CREATE FUNCTION {{schema}}.remove_plan(of_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM {{schema}}.plan WHERE key = of_key;
  DELETE FROM {{schema}}.plan_text WHERE plan = of_key;
  DELETE FROM {{schema}}.report WHERE plan = of_key;
END $$;

-- Keys of plans that wait to be decided on, those that wait longest first: by the first report that is old enough, or the
-- time to wake up.
CREATE FUNCTION {{schema}}.due_plans(room integer, grace bigint, seen bigint) RETURNS TABLE (key text) LANGUAGE sql STABLE AS $$
  SELECT waiting.key FROM (
    SELECT plan.key, plan.wake_at AS since FROM {{schema}}.plan WHERE plan.wake_at <= seen
    UNION ALL
    SELECT report.plan, min(report.at) FROM {{schema}}.report GROUP BY report.plan HAVING min(report.at) <= seen - grace) AS waiting
  GROUP BY waiting.key ORDER BY min(waiting.since), waiting.key LIMIT room
$$;

-- Deletes plans whose time is over, and reports that came for a plan as it went.
CREATE FUNCTION {{schema}}.prune_plans(seen bigint) RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  over text;
BEGIN
  FOR over IN
    SELECT key FROM {{schema}}.plan WHERE expires_at <= seen ORDER BY key LIMIT 1000 FOR UPDATE SKIP LOCKED
  LOOP
    PERFORM {{schema}}.remove_plan(over);
  END LOOP;
  DELETE FROM {{schema}}.report WHERE at < seen - 3600000 AND NOT EXISTS (SELECT FROM {{schema}}.plan WHERE plan.key = report.plan);
END $$;
