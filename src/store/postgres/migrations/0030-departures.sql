-- Jobs that complete in a transaction of a user's (foreign-complete.ts). It may stay open for long, so it locks nothing that
-- others need: not the row of its lease, which all jobs of a claim share, and no stripe of its key. Instead it adds a row
-- here, in the same commit. Whoever sees the row afterwards lets go of what the job still holds.
CREATE TABLE {{schema}}.departure (
  -- The job, which is gone.
  seq bigint PRIMARY KEY,
  lease bigint NOT NULL,
  queue text NOT NULL,
  -- Whose line it still takes a place in.
  key text
);

CREATE INDEX departure_key ON {{schema}}.departure (queue, key) WHERE key IS NOT NULL;

-- As in 0002-turns.sql, with the places of jobs that departed: until the next of their key is let in, no newcomer passes it.
CREATE OR REPLACE FUNCTION {{schema}}.line_length(of_queue text, of_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT (SELECT count(*) FROM {{schema}}.job WHERE queue = of_queue AND key = of_key AND turn <= 0 AND turn < 2)
    + (SELECT count(*) FROM {{schema}}.departure WHERE queue = of_queue AND key = of_key)
$$;

-- Completes a running job in the transaction of whoever calls this, fenced by its lease. False when it was lost.
CREATE FUNCTION {{schema}}.complete_in(of_token bigint, of_seq bigint, of_id uuid, of_result text, given_now bigint)
RETURNS boolean LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  lease_began bigint := (
    SELECT fresh_at FROM {{schema}}.lease
    WHERE token = of_token AND {{schema}}.has_range(lease.firsts, lease.lasts, of_seq, of_seq));
  gone {{schema}}.job;
  topics text := 'settled';
BEGIN
  DELETE FROM {{schema}}.job
  WHERE seq = of_seq AND id = of_id AND (lease = of_token AND state = 'running' OR turn = 3 AND lease_began IS NOT NULL)
  RETURNING * INTO gone;
  IF NOT FOUND THEN RETURN false; END IF;
  -- A fresh job's row says what it said when the job was added.
  IF gone.turn = 3 THEN
    gone.attempt := gone.attempt + 1;
    gone.started_at := lease_began;
  END IF;
  INSERT INTO {{schema}}.departure (seq, lease, queue, key) VALUES (of_seq, of_token, gone.queue, gone.key);
  IF NOT EXISTS (
    SELECT FROM {{schema}}.queue WHERE name = gone.queue AND drops AND {{schema}}.drops_state(retention, 'completed'))
  THEN
    INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
      cancel_requested, created_at, due_at, started_at, finished_at, ticket, unique_key, key, progress, input, meta, result, trail)
    VALUES (gone.seq, gone.id, gone.queue, gone.task, 'completed', gone.priority, gone.attempt, gone.attempts_max, gone.crashes,
      gone.cancel_requested, gone.created_at, gone.due_at, gone.started_at, at, gone.ticket, gone.unique_key, gone.key,
      gone.progress, gone.input, gone.meta, of_result, CASE WHEN gone.trailed THEN {{schema}}.trail_of(of_seq) END);
  END IF;
  IF gone.trailed THEN DELETE FROM {{schema}}.job_trail WHERE seq = of_seq; END IF;
  IF gone.meta IS NOT NULL AND {{schema}}.report_ends(ARRAY[gone.meta], ARRAY[gone.id], ARRAY['completed'], ARRAY[of_result],
    ARRAY[NULL::text], ARRAY[gone.attempt], ARRAY[gone.started_at], at)
  THEN topics := topics || ',plan'; END IF;
  IF gone.unique_key IS NOT NULL THEN
    PERFORM {{schema}}.release_keys(ARRAY[gone.unique_key], ARRAY[gone.id], ARRAY['completed'], at);
  END IF;
  PERFORM {{schema}}.hint('', topics);
  RETURN true;
END $$;

-- Lets go of what departed jobs hold: of these, or with null of all that nobody else lets go of at this moment. Tells which
-- there were, and whether others are ready by that.
CREATE FUNCTION {{schema}}.depart(seqs bigint[], tokens bigint[], OUT departed bigint[], OUT roomy boolean) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  gone record;
BEGIN
  WITH own AS (
    SELECT departure.seq FROM {{schema}}.departure JOIN unnest(seqs, tokens) AS given (seq, token)
      ON given.seq = departure.seq AND given.token = departure.lease
    WHERE seqs IS NOT NULL ORDER BY departure.seq FOR UPDATE OF departure
  ), others AS (
    SELECT departure.seq FROM {{schema}}.departure WHERE seqs IS NULL ORDER BY departure.seq LIMIT 10000 FOR UPDATE SKIP LOCKED
  ), taken AS (
    DELETE FROM {{schema}}.departure WHERE seq IN (SELECT seq FROM own UNION ALL SELECT seq FROM others) RETURNING *
  )
  SELECT array_agg(seq ORDER BY seq) AS seqs, array_agg(lease ORDER BY seq) AS leases,
    array_agg(queue ORDER BY seq) FILTER (WHERE key IS NOT NULL) AS queues,
    array_agg(key ORDER BY seq) FILTER (WHERE key IS NOT NULL) AS keys
  INTO gone FROM taken;
  departed := coalesce(gone.seqs, '{}');
  roomy := false;
  IF gone.seqs IS NULL THEN RETURN; END IF;
  IF gone.keys IS NOT NULL THEN
    PERFORM {{schema}}.lock_keys(gone.queues, gone.keys);
    roomy := {{schema}}.admit(gone.queues, gone.keys) > 0;
  END IF;
  roomy := {{schema}}.leave_leases(gone.leases) OR roomy;
END $$;

-- Transactions.confirm: what became of completions, by place from 1; with place 0 the topics of the hints, where there are any.
-- It looks at the job's row first and at departures afterwards, so that a commit in between is seen as one.
CREATE FUNCTION {{schema}}.confirm(tokens bigint[], seqs bigint[], ids uuid[])
RETURNS TABLE (place bigint, status text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  given record;
  fates text[] := '{}';
  own record;
BEGIN
  FOR given IN SELECT * FROM unnest(tokens, seqs, ids) WITH ORDINALITY AS list (token, seq, id, number) LOOP
    SELECT job.lease = given.token AND job.state = 'running' OR job.turn = 3 AND EXISTS (
      SELECT FROM {{schema}}.lease WHERE lease.token = given.token AND lease.fresh_at IS NOT NULL
        AND {{schema}}.has_range(lease.firsts, lease.lasts, given.seq, given.seq)) AS runs
    INTO own FROM {{schema}}.job WHERE job.seq = given.seq AND job.id = given.id;
    IF own.runs THEN
      PERFORM FROM {{schema}}.job WHERE job.seq = given.seq FOR UPDATE SKIP LOCKED;
      fates := fates || CASE WHEN FOUND THEN 'undone' ELSE 'open' END;
    ELSIF own.runs IS NULL AND NOT EXISTS (
      SELECT FROM {{schema}}.history WHERE history.id = given.id AND history.state <> 'completed')
    THEN fates := fates || 'settled'::text;
    ELSE fates := fates || 'lost'::text;
    END IF;
  END LOOP;
  SELECT * INTO own FROM {{schema}}.depart(seqs, tokens);
  RETURN QUERY SELECT list.number, CASE WHEN list.seq = ANY (own.departed) THEN 'settled' ELSE list.status END
  FROM unnest(seqs, fates) WITH ORDINALITY AS list (seq, status, number);
  IF own.roomy THEN RETURN QUERY SELECT 0::bigint, 'ready'; END IF;
END $$;
