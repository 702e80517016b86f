-- Jobs in (enqueue.ts). Jobs without meta and keys of either kind come as lists, which take a third of the time of JSON;
-- all others as JSON.

-- Whoever looks for holders of these unique keys, to take them, holds their stripes until the commit.
CREATE FUNCTION {{schema}}.lock_unique(keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('{{channel}}'), stripe.number) FROM (
    SELECT DISTINCT 64 + abs(hashtext(given.key) % 256) AS number FROM unnest(keys) AS given (key)
    WHERE given.key IS NOT NULL ORDER BY 1) AS stripe;
END $$;

-- Of these ids, those that ended and are kept. Ids tell when they were made (UUID version 7), and nothing ends before
-- it is made, so a fresh id is told from all of the past by one look at the newest there. Even that look costs 170 us where
-- history has a dozen partitions, all of which it locks: with `earliest` null, which says that the ids are new, there is none.
CREATE FUNCTION {{schema}}.ended_among(ids uuid[], earliest uuid, at bigint)
RETURNS uuid[] LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  -- A day for clocks that differ.
  since bigint := least(('x' || lpad(left(replace(earliest::text, '-', ''), 12), 16, '0'))::bit(64)::bigint, at) - 86400000;
  newest uuid;
BEGIN
  IF earliest IS NULL THEN RETURN '{}'; END IF;
  newest := (SELECT history.id FROM {{schema}}.history WHERE finished_at >= since ORDER BY id DESC LIMIT 1);
  IF newest IS NULL OR earliest > newest THEN RETURN '{}'; END IF;
  RETURN ARRAY(SELECT history.id FROM {{schema}}.history WHERE finished_at >= since AND history.id = ANY (ids));
END $$;

CREATE FUNCTION {{schema}}.state_of(of_id uuid) RETURNS {{schema}}.job_state LANGUAGE sql STABLE AS $$
  SELECT coalesce(
    (SELECT CASE WHEN turn = 3 AND NOT {{schema}}.is_waiting(job) THEN 'running' ELSE state END
     FROM {{schema}}.job WHERE id = of_id),
    (SELECT state FROM {{schema}}.history WHERE id = of_id LIMIT 1))
$$;

-- A spec (JobSpec in store.ts) as the row it becomes. `place` counts from 1.
CREATE FUNCTION {{schema}}.read_specs(list json, at bigint)
RETURNS TABLE (
  place bigint, id uuid, queue text, task text, state {{schema}}.job_state, priority integer, attempts_max integer,
  due_at bigint, key text, input text, meta text, "unique" json)
LANGUAGE sql STABLE AS $$
  SELECT spec.place, spec.id, spec.queue, spec.task,
    CASE WHEN due.ms > at THEN 'scheduled' ELSE 'ready' END::{{schema}}.job_state,
    spec.priority, spec."attemptsMax", due.ms, spec.key, spec.input, spec.meta, spec."unique"
  FROM ROWS FROM (json_to_recordset(list) AS (
      id uuid, queue text, task text, priority integer, input text, "attemptsMax" integer,
      "delayMs" float8, "dueAt" float8, key text, meta text, "unique" json))
    WITH ORDINALITY AS spec
      (id, queue, task, priority, input, "attemptsMax", "delayMs", "dueAt", key, meta, "unique", place)
  CROSS JOIN LATERAL (
    SELECT greatest(at, ceil(coalesce(spec."dueAt", at + spec."delayMs"))::bigint) AS ms) AS due
$$;

-- Adds jobs that have no keys, all with different ids, of which `earliest` comes first. Texts are divided by the
-- character U+001F, and U+001E alone is null. Tells only what is not simply created and ready: which job (from 1), what
-- became of it, its id and state.
CREATE FUNCTION {{schema}}.enqueue_plain(ids uuid[], queues text, tasks text, priorities integer[], inputs text,
  attempts integer[], delays float8[], dues float8[], earliest uuid, given_now bigint, sender text)
RETURNS TABLE (place bigint, status text, id uuid, state {{schema}}.job_state) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  past uuid[] := {{schema}}.ended_among(ids, earliest, at);
  added_ids uuid[];
  later boolean;
BEGIN
  WITH added AS (
    INSERT INTO {{schema}}.job (id, queue, task, state, priority, attempts_max, turn, created_at, due_at, input)
    SELECT given.id, given.queue, given.task,
      CASE WHEN due.ms > at THEN 'scheduled' ELSE 'ready' END::{{schema}}.job_state,
      given.priority, given.attempts_max, CASE WHEN due.ms > at THEN 0 ELSE 3 END, at, due.ms, given.input
    FROM ROWS FROM (unnest(ids), unnest(string_to_array(queues, E'\x1f')), unnest(string_to_array(tasks, E'\x1f')),
        unnest(priorities), unnest(string_to_array(inputs, E'\x1f', E'\x1e')), unnest(attempts), unnest(delays),
        unnest(dues))
      WITH ORDINALITY AS given (id, queue, task, priority, input, attempts_max, delay_ms, due_at, place)
    CROSS JOIN LATERAL (
      SELECT greatest(at, ceil(coalesce(given.due_at, at + given.delay_ms))::bigint) AS ms) AS due
    WHERE cardinality(past) = 0 OR given.id <> ALL (past)
    ORDER BY given.place
    ON CONFLICT (id) DO NOTHING
    RETURNING id, queue, priority, seq, state
  ), lined AS (
    INSERT INTO {{schema}}.fresh (queue, priority, first_seq, next_seq, last_seq)
    SELECT queue, priority, min(seq), min(seq), max(seq) FROM (
      SELECT queue, priority, seq, seq - row_number() OVER (PARTITION BY queue, priority ORDER BY seq) AS run
      FROM added WHERE state = 'ready') AS one
    GROUP BY queue, priority, run, seq / 128
  )
  SELECT array_agg(id), bool_or(state <> 'ready') INTO added_ids, later FROM added;
  IF sender IS NOT NULL AND added_ids IS NOT NULL THEN PERFORM {{schema}}.hint(sender, 'ready'); END IF;
  IF cardinality(added_ids) = cardinality(ids) AND NOT later THEN RETURN; END IF;
  RETURN QUERY
    SELECT given.place, CASE WHEN added.id IS NULL THEN 'existing' ELSE 'created' END, given.id,
      {{schema}}.state_of(given.id)
    FROM unnest(ids) WITH ORDINALITY AS given (id, place) LEFT JOIN unnest(added_ids) AS added (id) ON added.id = given.id;
END $$;

-- As enqueue_plain, for one job, whose id is new where `of_new` says so: one statement, since on a connection that rests
-- between two jobs each one more costs some 25 us.
CREATE FUNCTION {{schema}}.enqueue_one(of_id uuid, of_queue text, of_task text, of_priority integer, of_input text,
  of_attempts integer, delay_ms float8, of_due_at float8, of_new boolean, given_now bigint, sender text)
RETURNS TABLE (place bigint, status text, id uuid, state {{schema}}.job_state) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  due_ms bigint := greatest(at, ceil(coalesce(of_due_at, at + delay_ms))::bigint);
  own bigint;
BEGIN
  place := 1;
  status := 'existing';
  id := of_id;
  IF of_new OR cardinality({{schema}}.ended_among(ARRAY[of_id], of_id, at)) = 0 THEN
    WITH added AS (
      INSERT INTO {{schema}}.job (id, queue, task, state, priority, attempts_max, turn, created_at, due_at, input)
      VALUES (of_id, of_queue, of_task, CASE WHEN due_ms > at THEN 'scheduled' ELSE 'ready' END::{{schema}}.job_state,
        of_priority, of_attempts, CASE WHEN due_ms > at THEN 0 ELSE 3 END, at, due_ms, of_input)
      ON CONFLICT (id) DO NOTHING RETURNING job.seq
    ), lined AS (
      INSERT INTO {{schema}}.fresh (queue, priority, first_seq, next_seq, last_seq)
      SELECT of_queue, of_priority, seq, seq, seq FROM added WHERE due_ms <= at
    )
    SELECT seq INTO own FROM added;
  END IF;
  IF own IS NULL THEN
    state := {{schema}}.state_of(of_id);
  ELSE
    IF sender IS NOT NULL THEN PERFORM {{schema}}.hint(sender, 'ready'); END IF;
    IF due_ms = at THEN RETURN; END IF;
    status := 'created';
    state := 'scheduled';
  END IF;
  RETURN NEXT;
END $$;

-- The same for a job of a new id that is ready at once, as a transaction of its own, which others see before it is on the
-- disk: the way to a worker and to the disk go side by side (not on version 12, which notifies at the end of the call). The
-- answer still waits for the disk, and so does the job's start, since the commit of its claim comes behind. Settings of the
-- procedure would forbid the commit; no plan here needs them.
CREATE PROCEDURE {{schema}}.enqueue_early(of_id uuid, of_queue text, of_task text, of_priority integer, of_input text,
  of_attempts integer, given_now bigint, sender text)
LANGUAGE plpgsql AS $$
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
BEGIN
  PERFORM set_config('synchronous_commit', 'off', true);
  WITH added AS (
    INSERT INTO {{schema}}.job (id, queue, task, state, priority, attempts_max, turn, created_at, due_at, input)
    VALUES (of_id, of_queue, of_task, 'ready', of_priority, of_attempts, 3, at, at, of_input) RETURNING seq
  )
  INSERT INTO {{schema}}.fresh (queue, priority, first_seq, next_seq, last_seq)
  SELECT of_queue, of_priority, seq, seq, seq FROM added;
  PERFORM {{schema}}.hint(sender, 'ready');
  COMMIT;
  -- As wait_for_disk, which is only called where this row is taken.
  PERFORM FROM {{schema}}.flush WHERE number = pg_backend_pid() % 64 FOR NO KEY UPDATE SKIP LOCKED;
  IF NOT FOUND THEN PERFORM {{schema}}.wait_for_disk(); END IF;
END $$;

-- Adds jobs that are alike but for id and input, have no keys, and are ready at once: most large batches. Of 8 us a job that
-- lists of everything take, this takes 5.7. Where an id is there already, nothing was added, and enqueue_plain sorts it out.
CREATE FUNCTION {{schema}}.enqueue_alike(ids uuid[], inputs text, of_queue text, of_task text, of_priority integer,
  of_attempts integer, earliest uuid, given_now bigint, sender text)
RETURNS TABLE (place bigint, status text, id uuid, state {{schema}}.job_state) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET jit = off AS $$
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  jobs integer[] := ARRAY[cardinality(ids)];
  -- All at once, before the rows: so they are neighbours, unless somebody takes numbers in the same microseconds.
  seqs bigint[] := ARRAY(
    SELECT nextval($seq${{schema}}.job_seq_seq$seq$) FROM generate_series(1, cardinality(ids)));
BEGIN
  IF cardinality({{schema}}.ended_among(ids, earliest, at)) = 0 THEN
    BEGIN
      INSERT INTO {{schema}}.job (seq, id, queue, task, state, priority, attempts_max, turn, created_at, due_at, input)
      SELECT given.seq, given.id, of_queue, of_task, 'ready', of_priority, of_attempts, 3, at, at, given.input
      FROM ROWS FROM (unnest(seqs), unnest(ids), unnest(string_to_array(inputs, E'\x1f', E'\x1e'))) AS given (seq, id, input);
      PERFORM {{schema}}.line_up(of_queue, of_priority, seqs);
      IF sender IS NOT NULL THEN PERFORM {{schema}}.hint(sender, 'ready'); END IF;
      RETURN;
    EXCEPTION WHEN unique_violation THEN NULL;
    END;
  END IF;
  RETURN QUERY SELECT * FROM {{schema}}.enqueue_plain(
    ids, array_to_string(array_fill(of_queue, jobs), E'\x1f'), array_to_string(array_fill(of_task, jobs), E'\x1f'),
    array_fill(of_priority, jobs), inputs, array_fill(of_attempts, jobs), array_fill(0::float8, jobs),
    array_fill(NULL::float8, jobs), earliest, at, sender);
END $$;

-- Adds jobs of any kind: a JSON array of specs. `way` is 1 when none has a unique key and all ids differ; else it is 2,
-- and they go one by one. Where `are_new`, so are all ids. Tells of each what became of it, and the job that is there
-- instead, or the job itself.
CREATE FUNCTION {{schema}}.enqueue_batch(specs text, way integer, are_new boolean, given_now bigint, sender text)
RETURNS TABLE (place bigint, status text, id uuid, state {{schema}}.job_state) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = on SET jit = off AS $$
#variable_conflict use_column
DECLARE
  list json := specs::json;
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  ids uuid[];
  added_ids uuid[];
BEGIN
  IF way = 2 THEN
    RETURN QUERY SELECT * FROM {{schema}}.enqueue_each(list, at, sender);
    RETURN;
  END IF;
  ids := ARRAY(SELECT spec.id FROM json_to_recordset(list) AS spec (id uuid) ORDER BY 1);
  added_ids := {{schema}}.add_keyed(list, ids, {{schema}}.ended_among(ids, CASE WHEN NOT are_new THEN ids[1] END, at), at);
  IF sender IS NOT NULL AND added_ids IS NOT NULL THEN PERFORM {{schema}}.hint(sender, 'ready'); END IF;
  RETURN QUERY
    SELECT spec.place, CASE WHEN added.id IS NULL THEN 'existing' ELSE 'created' END, spec.id,
      CASE WHEN added.id IS NULL THEN {{schema}}.state_of(spec.id)
        ELSE (SELECT job.state FROM {{schema}}.job WHERE job.id = spec.id) END
    FROM ROWS FROM (json_to_recordset(list) AS (id uuid)) WITH ORDINALITY AS spec (id, place)
    LEFT JOIN unnest(added_ids) AS added (id) ON added.id = spec.id;
END $$;

-- Adds jobs of which some have meta, or a key that says whose turn it is. Those that are ready go into the line of their key while there is room.
CREATE FUNCTION {{schema}}.add_keyed(list json, ids uuid[], past uuid[], at bigint) RETURNS uuid[] LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  added_ids uuid[];
  known uuid[];
BEGIN
  PERFORM {{schema}}.lock_keys(array_agg(spec.queue), array_agg(spec.key))
  FROM {{schema}}.read_specs(list, at) AS spec WHERE spec.state = 'ready';
  known := past || ARRAY(SELECT job.id FROM {{schema}}.job WHERE job.id = ANY (ids));
  WITH given AS MATERIALIZED (
    SELECT * FROM {{schema}}.read_specs(list, at) AS spec WHERE spec.id <> ALL (known)
  ), line AS MATERIALIZED (
    SELECT given.queue, given.key,
      {{schema}}.key_window((SELECT limits FROM {{schema}}.queue WHERE name = given.queue))
        - {{schema}}.line_length(given.queue, given.key) AS room
    FROM given WHERE given.key IS NOT NULL AND given.state = 'ready' GROUP BY given.queue, given.key
  ), turned AS (
    SELECT given.*, CASE WHEN given.key IS NULL THEN 0 WHEN given.state <> 'ready' THEN 2
      WHEN row_number() OVER (PARTITION BY given.queue, given.key, given.state ORDER BY given.place) <= line.room THEN 0
      ELSE 1 END AS turn
    FROM given LEFT JOIN line ON line.queue = given.queue AND line.key = given.key
  ), added AS (
    INSERT INTO {{schema}}.job
      (id, queue, task, state, priority, turn, attempts_max, created_at, due_at, key, input, meta)
    SELECT turned.id, turned.queue, turned.task, turned.state, turned.priority, turned.turn, turned.attempts_max, at,
      turned.due_at, turned.key, turned.input, turned.meta
    FROM turned ORDER BY turned.place
    ON CONFLICT (id) DO NOTHING
    RETURNING job.id)
  SELECT array_agg(added.id) INTO added_ids FROM added;
  RETURN added_ids;
END $$;

-- One by one, each meeting the ids and keys of those before it: core/unique.ts says what becomes of them.
CREATE FUNCTION {{schema}}.enqueue_each(list json, at bigint, sender text)
RETURNS TABLE (place bigint, status text, id uuid, state {{schema}}.job_state) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  spec record;
  hold record;
  due bigint;
  added boolean := false;
BEGIN
  PERFORM {{schema}}.lock_for_enqueue(list, at);
  FOR spec IN
    SELECT given.*, given."unique"->>'key' AS unique_key, coalesce(given."unique"->>'mode', 'existing') AS mode,
      (given."unique"->>'maxWaitMs')::float8 AS max_wait,
      ceil(at + coalesce((given."unique"->>'periodMs')::float8, 0))::bigint AS until
    FROM {{schema}}.read_specs(list, at) AS given ORDER BY given.place
  LOOP
    place := spec.place;
    id := spec.id;
    IF spec.mode = 'debounce' THEN
      spec.due_at := spec.until;
      spec.state := CASE WHEN spec.until > at THEN 'scheduled' ELSE 'ready' END;
    END IF;
    state := {{schema}}.state_of(spec.id);
    status := CASE WHEN state IS NOT NULL THEN 'existing' END;
    IF status IS NULL AND spec.unique_key IS NOT NULL THEN
      -- Whether it lives is asked of the job: who ends it leaves the key as it is where somebody else has the row.
      SELECT key.id, coalesce({{schema}}.state_of(key.id), key.ended, 'completed') AS state,
        (SELECT created_at FROM {{schema}}.job WHERE job.id = key.id) AS created_at INTO hold
      FROM {{schema}}.unique_key AS key
      WHERE key.key = spec.unique_key
        AND (key.until > at OR EXISTS (SELECT FROM {{schema}}.job WHERE job.id = key.id));
      IF NOT FOUND THEN NULL;
      ELSIF spec.mode = 'reject' THEN status := 'conflict';
      ELSIF spec.mode IN ('existing', 'throttle') THEN status := 'existing';
      ELSIF hold.state IN ('scheduled', 'ready') THEN
        -- As debouncedUntil in core/unique.ts.
        due := CASE WHEN spec.mode <> 'debounce' OR spec.max_wait IS NULL THEN spec.due_at
          ELSE least(spec.due_at, greatest(at, ceil(hold.created_at + spec.max_wait)::bigint)) END;
        -- Null when it began to run or ended meanwhile: then the new job is added beside it.
        hold.state := {{schema}}.replace_job(hold.id, spec.queue, spec.task, spec.key, spec.priority, spec.input,
          spec.meta, spec.attempts_max, due, CASE WHEN due > at THEN 'scheduled' ELSE 'ready' END::{{schema}}.job_state);
        IF hold.state IS NOT NULL THEN
          status := 'replaced';
          UPDATE {{schema}}.unique_key SET until = spec.until, ended = NULL WHERE key = spec.unique_key;
          added := true;
        END IF;
      END IF;
      IF status IS NOT NULL THEN
        id := hold.id;
        state := hold.state;
      END IF;
    END IF;
    IF status IS NULL THEN
      INSERT INTO {{schema}}.job
        (id, queue, task, state, priority, turn, attempts_max, created_at, due_at, unique_key, key, input, meta)
      VALUES (spec.id, spec.queue, spec.task, spec.state, spec.priority,
        {{schema}}.new_turn(spec.queue, spec.key, NULL, spec.state), spec.attempts_max, at, spec.due_at,
        spec.unique_key, spec.key, spec.input, spec.meta)
      ON CONFLICT (id) DO NOTHING;
      status := CASE WHEN FOUND THEN 'created' ELSE 'existing' END;
      state := {{schema}}.state_of(spec.id);
      added := true;
      IF status = 'created' AND spec.unique_key IS NOT NULL THEN
        INSERT INTO {{schema}}.unique_key AS held (key, id, until) VALUES (spec.unique_key, spec.id, spec.until)
        ON CONFLICT (key) DO UPDATE SET id = excluded.id, until = excluded.until, ended = NULL;
      END IF;
    END IF;
    RETURN NEXT;
  END LOOP;
  IF added AND sender IS NOT NULL THEN PERFORM {{schema}}.hint(sender, 'ready'); END IF;
END $$;

-- Who looks for holders comes first, then the rows of those that may be replaced, then the lines of keys. What runs is left
-- alone: this may be a transaction that lasts, and the end of that job must not wait for it.
CREATE FUNCTION {{schema}}.lock_for_enqueue(list json, at bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  replacing text[] := ARRAY(
    SELECT spec->'unique'->>'key' FROM json_array_elements(list) AS spec
    WHERE spec->'unique'->>'mode' IN ('replace', 'debounce'));
BEGIN
  PERFORM {{schema}}.lock_unique(array_agg(spec->'unique'->>'key')) FROM json_array_elements(list) AS spec;
  IF cardinality(replacing) > 0 THEN
    PERFORM FROM {{schema}}.job
    WHERE job.id IN (SELECT held.id FROM {{schema}}.unique_key AS held WHERE held.key = ANY (replacing))
      AND job.state IN ('scheduled', 'ready')
    ORDER BY job.seq FOR UPDATE;
  END IF;
  PERFORM {{schema}}.lock_keys(array_agg(spec.queue), array_agg(spec.key))
  FROM {{schema}}.read_specs(list, at) AS spec WHERE spec.state = 'ready';
END $$;

-- The waiting holder of a unique key keeps its id, its place in the line and its trail, and takes all the rest. Null where
-- it does not wait any more.
CREATE FUNCTION {{schema}}.replace_job(of_id uuid, new_queue text, new_task text, new_key text, new_priority integer,
  new_input text, new_meta text, new_attempts_max integer, new_due_at bigint, due_state {{schema}}.job_state)
RETURNS {{schema}}.job_state LANGUAGE plpgsql AS $$
DECLARE
  old {{schema}}.job;
  new_state {{schema}}.job_state := due_state;
  turn_then integer;
  same boolean;
BEGIN
  SELECT * INTO old FROM {{schema}}.job
  WHERE id = of_id AND state IN ('scheduled', 'ready') AND turn <> 3 FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  same := new_queue = old.queue AND new_key IS NOT DISTINCT FROM old.key;
  PERFORM {{schema}}.lock_keys(ARRAY[old.queue], ARRAY[old.key]);
  turn_then := CASE
    WHEN NOT same THEN {{schema}}.new_turn(new_queue, new_key, NULL, new_state)
    WHEN old.key IS NOT NULL AND old.turn <= 0 AND new_state = 'ready'
      THEN CASE WHEN old.ticket IS NULL THEN 0 ELSE -2 END
    ELSE {{schema}}.new_turn(old.queue, old.key, old.ticket, new_state) END;
  UPDATE {{schema}}.job SET state = new_state, turn = turn_then, ticket = CASE WHEN same THEN ticket END,
    queue = new_queue, task = new_task, key = new_key, priority = new_priority, input = new_input, meta = new_meta,
    attempts_max = new_attempts_max, due_at = new_due_at, attempt = 0, crashes = 0, progress = NULL
  WHERE seq = old.seq;
  IF old.key IS NOT NULL AND old.turn <= 0 AND (NOT same OR turn_then > 0) THEN
    PERFORM {{schema}}.admit(ARRAY[old.queue], ARRAY[old.key], true);
  END IF;
  RETURN new_state;
END $$;
