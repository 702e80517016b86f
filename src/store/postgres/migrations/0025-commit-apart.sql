-- Store.commit for units without an outcome that do not meet each other: no plan is there twice, none goes, and no report is
-- for a plan that the same call adds. A statement of each kind for all units; `unit`, `owners` and `takers` count from 1.
-- Tells the units that were left out, what was not simply created and ready (`place` in `specs`, from 1), of each report
-- whether its plan exists, and the topics of the hints.
CREATE FUNCTION {{schema}}.commit_apart(changes json, taken bigint[], takers bigint[], keep json, specs text, owners bigint[],
  way integer, reports json, given_now bigint, sender text)
RETURNS TABLE (lost json, others json, reported json, topics text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  added text[];
  out bigint[];
  places bigint[];
  hints text[] := '{}';
BEGIN
  -- A plan that must not exist is added first, so that of two who add it at a time one waits for the other.
  WITH new AS (
    INSERT INTO {{schema}}.plan (key, kind, label, state, version, value, wake_at, expires_at, created_at, updated_at)
    SELECT given.key, given.kind, given.label, given.state, 1, given.value, ceil(given."wakeAt")::bigint,
      ceil(given."expiresAt")::bigint, at, at
    FROM json_to_recordset(changes) AS given (key text, kind text, label text, state text, version bigint, value text,
      "wakeAt" float8, "expiresAt" float8)
    WHERE given.version = 0 ORDER BY given.key
    ON CONFLICT (key) DO NOTHING RETURNING plan.key)
  SELECT coalesce(array_agg(new.key), '{}') INTO added FROM new;
  PERFORM FROM {{schema}}.plan WHERE plan.key IN (
    SELECT given.key FROM json_to_recordset(changes) AS given (key text, version bigint) WHERE given.version > 0)
  ORDER BY plan.key FOR UPDATE;
  out := ARRAY(
    SELECT DISTINCT given.unit FROM json_to_recordset(changes) AS given (unit bigint, key text, version bigint)
    LEFT JOIN {{schema}}.plan ON plan.key = given.key
    WHERE CASE WHEN given.version = 0 THEN given.key <> ALL (added) ELSE coalesce(plan.version, 0) <> given.version END);
  IF cardinality(out) > 0 AND cardinality(added) > 0 THEN
    DELETE FROM {{schema}}.plan WHERE plan.key = ANY (added) AND plan.key IN (
      SELECT given.key FROM json_to_recordset(changes) AS given (unit bigint, key text) WHERE given.unit = ANY (out));
  END IF;
  UPDATE {{schema}}.plan SET kind = given.kind, label = given.label, state = given.state, version = given.version + 1,
    value = given.value, wake_at = ceil(given."wakeAt")::bigint, expires_at = ceil(given."expiresAt")::bigint, updated_at = at
  FROM json_to_recordset(changes) AS given (unit bigint, key text, kind text, label text, state text, version bigint,
    value text, "wakeAt" float8, "expiresAt" float8)
  WHERE plan.key = given.key AND given.version > 0 AND given.unit <> ALL (out);
  SELECT CASE WHEN count(*) > 0 THEN hints || 'plan'::text ELSE hints END
    || CASE WHEN count(given."expiresAt") > 0 THEN ARRAY['planEnded'] ELSE '{}'::text[] END INTO hints
  FROM json_to_recordset(changes) AS given (unit bigint, "expiresAt" float8) WHERE given.unit <> ALL (out);
  IF cardinality(taken) > 0 THEN
    DELETE FROM {{schema}}.report WHERE report.no = ANY (ARRAY(
      SELECT list.no FROM unnest(taken, takers) AS list (no, taker) WHERE list.taker <> ALL (out)));
  END IF;
  IF keep IS NOT NULL THEN
    DELETE FROM {{schema}}.plan_text USING json_to_recordset(keep) AS kept (unit bigint, plan text, name text)
    WHERE plan_text.plan = kept.plan AND plan_text.name = kept.name AND kept.unit <> ALL (out);
    INSERT INTO {{schema}}.plan_text (plan, name, content)
    SELECT kept.plan, kept.name, kept.text
    FROM json_to_recordset(keep) AS kept (unit bigint, plan text, name text, text text)
    WHERE kept.text IS NOT NULL AND kept.unit <> ALL (out);
  END IF;
  reported := '[]';
  IF reports IS NOT NULL THEN
    WITH given AS MATERIALIZED (
      SELECT list.*, list.unit <> ALL (out) AND EXISTS (SELECT FROM {{schema}}.plan WHERE plan.key = list.plan) AS known
      FROM ROWS FROM (json_to_recordset(reports) AS (unit bigint, plan text, "as" text, state text, result text, error text))
        WITH ORDINALITY AS list (unit, plan, part, state, result, error, place)
    ), told AS (
      INSERT INTO {{schema}}.report (plan, part, state, result, error, attempt, at)
      SELECT given.plan, given.part, given.state, given.result, given.error, 0, at FROM given WHERE given.known ORDER BY given.place)
    SELECT json_agg(given.known ORDER BY given.place),
      CASE WHEN bool_or(given.known) THEN hints || 'plan'::text ELSE hints END INTO reported, hints FROM given;
  END IF;
  others := '[]';
  places := ARRAY(SELECT list.place FROM unnest(owners) WITH ORDINALITY AS list (owner, place) WHERE list.owner <> ALL (out)
    ORDER BY list.place);
  IF cardinality(places) > 0 THEN
    IF cardinality(out) > 0 THEN
      specs := (SELECT json_agg(list.spec ORDER BY list.place)::text
        FROM json_array_elements(specs::json) WITH ORDINALITY AS list (spec, place) WHERE list.place = ANY (places));
    END IF;
    SELECT coalesce(json_agg(json_build_object('place', places[row.place], 'status', row.status, 'id', row.id, 'state', row.state)), '[]')
    INTO others
    FROM {{schema}}.enqueue_batch(specs, way, false, at, NULL) AS row WHERE row.status <> 'created' OR row.state <> 'ready';
    hints := hints || 'ready'::text;
  END IF;
  lost := to_json(out);
  topics := (SELECT string_agg(DISTINCT topic, ',') FROM unnest(hints) AS topic);
  IF sender IS NOT NULL AND topics IS NOT NULL THEN PERFORM {{schema}}.hint(sender, topics); END IF;
  RETURN NEXT;
END $$;
