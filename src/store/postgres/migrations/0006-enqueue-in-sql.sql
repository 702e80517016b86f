-- For everybody: jobs added by plain SQL, in whatever transaction that runs.

-- `specs` is a JSON array of JobSpec (store.ts), as the client makes them; one row each, in their order. Workers are
-- told when the transaction commits. It may last, and may see the jobs of others as they were when it began; so a job
-- does not join the line of its key here, which would make settlements wait for this transaction: it is scheduled for
-- the next millisecond, and the claim that promotes it sees to its turn.
CREATE FUNCTION {{schema}}.enqueue_specs(specs text, now bigint DEFAULT NULL)
RETURNS TABLE (status text, id uuid, state {{schema}}.job_state) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  list json := specs::json;
  at bigint := coalesce(now, {{schema}}.now_ms());
  way integer;
  are_new boolean;
BEGIN
  SELECT CASE WHEN count(DISTINCT spec.id) < count(*) OR bool_or(json_typeof(spec."unique") = 'object') THEN 2
    ELSE 1 END, coalesce(bool_and(coalesce(spec."isNew", false)), false) INTO way, are_new
  FROM json_to_recordset(list) AS spec (id uuid, "unique" json, "isNew" boolean);
  IF EXISTS (SELECT FROM json_to_recordset(list) AS spec (key text) WHERE spec.key IS NOT NULL) THEN
    list := (
      SELECT json_agg(CASE WHEN spec->>'key' IS NULL THEN spec ELSE (spec::jsonb || jsonb_build_object('dueAt',
        greatest(at + 1, coalesce((spec->>'dueAt')::float8, at + (spec->>'delayMs')::float8))))::json END ORDER BY place)
      FROM json_array_elements(list) WITH ORDINALITY AS given (spec, place));
  END IF;
  RETURN QUERY
    SELECT coalesce(notable.status, 'created'), coalesce(notable.id, spec.id), coalesce(notable.state, 'ready')
    FROM ROWS FROM (json_to_recordset(list) AS (id uuid)) WITH ORDINALITY AS spec (id, place)
    LEFT JOIN (SELECT * FROM {{schema}}.enqueue_batch(list::text, way, are_new, at, '')) AS notable ON notable.place = spec.place
    ORDER BY spec.place;
END $$;

-- gen_random_uuid() is there from version 13 on; 122 random bits in the form of a UUID version 4.
CREATE FUNCTION {{schema}}.random_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT overlay(overlay(md5(random()::text || clock_timestamp()::text || pg_backend_pid()::text || random()::text)
    PLACING '4' FROM 13) PLACING substr('89ab', 1 + floor(random() * 4)::integer, 1) FROM 17)::uuid
$$;

-- A new id: UUID version 7 (RFC 9562), which begins with the time.
CREATE FUNCTION {{schema}}.new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (substr(clock.hex, 1, 8) || '-' || substr(clock.hex, 9, 4) || '-7' || substr(random.hex, 14, 3) || '-' ||
    substr(random.hex, 17, 4) || '-' || substr(random.hex, 21, 12))::uuid
  FROM (SELECT lpad(to_hex({{schema}}.now_ms()), 12, '0') AS hex) AS clock,
    (SELECT replace({{schema}}.random_id()::text, '-', '') AS hex) AS random
$$;

-- Adds one job and returns its id, or the id of the job that holds its unique key:
--   SELECT {{schema}}.enqueue('thumbnail', '{"path": "a.png"}', delay_ms => 60000);
-- `unique_key` is unique among the jobs of its task, for as long as the job lives, and with `unique_ms` at least that
-- long; `unique_max_wait_ms` bounds how long `debounce` puts it off. `key` says whose turn the job takes. Times are in milliseconds; lower priorities run first.
CREATE FUNCTION {{schema}}.enqueue(
  task text, input jsonb DEFAULT NULL, queue text DEFAULT 'default', priority integer DEFAULT 0,
  delay_ms bigint DEFAULT 0, due_at timestamptz DEFAULT NULL, attempts integer DEFAULT 3,
  unique_key text DEFAULT NULL, unique_mode text DEFAULT 'existing', key text DEFAULT NULL,
  unique_ms bigint DEFAULT 0, unique_max_wait_ms bigint DEFAULT NULL)
RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  wish json := CASE WHEN unique_key IS NOT NULL THEN json_build_object(
    'key', 'task/' || replace(replace(task, '%', '%25'), '/', '%2F') || '/' || unique_key, -- as core/unique.ts
    'mode', unique_mode, 'periodMs', unique_ms, 'maxWaitMs', unique_max_wait_ms) END;
  receipt record;
BEGIN
  PERFORM {{schema}}.require_name('task', task, 200);
  PERFORM {{schema}}.require_name('queue', queue, 200);
  IF key IS NOT NULL THEN PERFORM {{schema}}.require_name('key', key, 200); END IF;
  IF unique_key IS NOT NULL THEN PERFORM {{schema}}.require_name('unique_key', unique_key, 1000); END IF;
  IF octet_length(unique_key) > 2000 THEN
    PERFORM {{schema}}.refuse(format('unique_key has %s bytes', octet_length(unique_key)), 'At most 2,000 bytes fit.');
  END IF;
  IF queue = '*' THEN
    PERFORM {{schema}}.refuse('queue is ''*'', which stands for all queues', 'Give the queue another name.');
  END IF;
  IF attempts IS NULL OR attempts < 1 THEN
    PERFORM {{schema}}.refuse(format('attempts is %s', coalesce(attempts::text, 'NULL')), 'It counts the first attempt too: 1 means no retry.');
  END IF;
  IF priority IS NULL THEN
    PERFORM {{schema}}.refuse('priority is NULL', 'Leave it out for 0; lower ones run first.');
  END IF;
  IF delay_ms IS NULL OR delay_ms < 0 THEN
    PERFORM {{schema}}.refuse(format('delay_ms is %s', coalesce(delay_ms::text, 'NULL')), 'It is a number of milliseconds from now, 0 or more.');
  END IF;
  IF unique_mode IS NULL OR unique_mode NOT IN ('reject', 'existing', 'replace', 'debounce', 'throttle') THEN
    PERFORM {{schema}}.refuse(format('unique_mode is %L', unique_mode), 'Expected reject, existing, replace, debounce or throttle.');
  END IF;
  IF unique_ms IS NULL OR unique_ms < 0 OR (unique_ms = 0 AND unique_key IS NOT NULL AND unique_mode IN ('debounce', 'throttle')) THEN
    PERFORM {{schema}}.refuse(format('unique_ms is %s', coalesce(unique_ms::text, 'NULL')), 'It is a number of milliseconds; debounce and throttle need one above 0.');
  END IF;
  IF unique_max_wait_ms IS NOT NULL AND (unique_mode <> 'debounce' OR unique_max_wait_ms < unique_ms) THEN
    PERFORM {{schema}}.refuse(format('unique_max_wait_ms is %s', unique_max_wait_ms), 'It is for debounce, and at least unique_ms.');
  END IF;
  SELECT * INTO receipt FROM {{schema}}.enqueue_specs(json_build_array(json_build_object(
    'id', {{schema}}.new_id(), 'isNew', true, 'queue', queue, 'task', task, 'priority', priority, 'input', input::text,
    'attemptsMax', attempts, 'delayMs', delay_ms, 'dueAt', ceil(extract(epoch FROM due_at) * 1000),
    'unique', wish, 'key', key))::text);
  IF receipt.status = 'conflict' THEN
    RAISE EXCEPTION 'Job % holds the unique key %.', receipt.id, unique_key USING ERRCODE = 'unique_violation',
      HINT = 'Use unique_mode => ''existing'' to get its id instead.';
  END IF;
  RETURN receipt.id;
END $$;

CREATE FUNCTION {{schema}}.require_name(field text, name text, longest integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF name IS NULL OR name = '' OR length(name) > longest OR name ~ E'[\\x01-\\x1f\\x7f-\\x9f]' THEN
    PERFORM {{schema}}.refuse(format('%s is %L', field, left(name, 80)),
      format('Expected 1 to %s characters, none of them a control character.', longest));
  END IF;
END $$;

CREATE FUNCTION {{schema}}.refuse(problem text, remedy text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Longshore cannot add this job: %.', problem USING ERRCODE = 'invalid_parameter_value', HINT = remedy;
END $$;
