-- Hints, whose turn it is among the jobs of a key (turns.ts), and fresh jobs. Functions are the store's own unless they say otherwise.

-- The payload is as in hints.ts; nobody's own notification when `sender` is empty.
CREATE FUNCTION {{schema}}.hint(sender text, topics text) RETURNS void LANGUAGE sql VOLATILE AS
  $$ SELECT pg_notify('{{channel}}', sender || ':' || topics) $$;

-- How many jobs of a key may be in the line: keyWindow in core/limits.ts.
CREATE FUNCTION {{schema}}.key_window(limits jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN (limits #>> '{perKey,ordered}')::boolean THEN 1
    ELSE coalesce((limits #>> '{perKey,concurrency}')::bigint, 10) END
$$;

-- Whoever changes turns of these keys holds their stripes until the commit: 64 a queue, so that a large batch does not
-- fill the server's table of locks, and in one order, so that two batches do not wait for each other.
CREATE FUNCTION {{schema}}.lock_keys(queues text[], keys text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(stripe.queue, stripe.number) FROM (
    SELECT DISTINCT hashtext('{{channel}} ' || given.queue) AS queue, abs(hashtext(given.key) % 64) AS number
    FROM unnest(queues, keys) AS given (queue, key)
    WHERE given.key IS NOT NULL
    ORDER BY 1, 2) AS stripe;
END $$;

-- As lock_keys, without waiting, for one key.
CREATE FUNCTION {{schema}}.try_lock_key(queue text, key text) RETURNS boolean LANGUAGE sql VOLATILE AS
  $$ SELECT pg_try_advisory_xact_lock(hashtext('{{channel}} ' || queue), abs(hashtext(key) % 64)) $$;

CREATE FUNCTION {{schema}}.line_length(of_queue text, of_key text) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT count(*) FROM {{schema}}.job WHERE queue = of_queue AND key = of_key AND turn <= 0 AND turn < 2
$$;

-- The turn of a job that newly comes to a key, or comes back to it. Needs the key's lock.
CREATE FUNCTION {{schema}}.new_turn(of_queue text, of_key text, of_ticket bigint, of_state {{schema}}.job_state)
RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  in_line integer := CASE WHEN of_state = 'ready' AND of_ticket IS NOT NULL THEN -2 ELSE 0 END;
BEGIN
  IF of_key IS NULL THEN RETURN in_line; END IF;
  IF of_state <> 'ready' THEN RETURN 2; END IF;
  IF {{schema}}.line_length(of_queue, of_key)
      < {{schema}}.key_window((SELECT limits FROM {{schema}}.queue WHERE name = of_queue))
  THEN RETURN in_line; END IF;
  RETURN 1;
END $$;

-- Lets the next of each key in, to the end of the line, after jobs of these keys left it, in this order: one for each
-- that left, or with `all_of_them` as many as there is room for. Returns how many. Needs the keys' locks.
CREATE FUNCTION {{schema}}.admit(queues text[], keys text[], all_of_them boolean DEFAULT false)
RETURNS integer LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  admitted integer;
BEGIN
  WITH event AS (
    SELECT given.queue, given.key, given.place FROM unnest(queues, keys) WITH ORDINALITY AS given (queue, key, place)
    WHERE given.key IS NOT NULL
  ), line AS MATERIALIZED (
    SELECT event.queue, event.key, array_agg(event.place ORDER BY event.place) AS places, count(*) AS events,
      {{schema}}.key_window((SELECT limits FROM {{schema}}.queue WHERE name = event.queue))
        - {{schema}}.line_length(event.queue, event.key) AS room
    FROM event GROUP BY event.queue, event.key
  ), next AS (
    SELECT held.seq, line.places,
      row_number() OVER (PARTITION BY line.queue, line.key ORDER BY held.priority, held.seq) AS nth
    FROM line CROSS JOIN LATERAL (
      SELECT job.seq, job.priority FROM {{schema}}.job
      WHERE job.queue = line.queue AND job.key = line.key AND job.turn = 1
      ORDER BY job.priority, job.seq
      LIMIT greatest(0, CASE WHEN all_of_them THEN line.room ELSE least(line.room, line.events) END)) AS held
  ), numbered AS (
    SELECT chosen.seq, nextval($seq${{schema}}.job_seq_seq$seq$) AS ticket FROM (
      SELECT next.seq FROM next
      ORDER BY CASE WHEN all_of_them THEN next.places[1] ELSE next.places[next.nth] END, next.nth) AS chosen
  )
  UPDATE {{schema}}.job SET turn = -2, ticket = numbered.ticket FROM numbered WHERE job.seq = numbered.seq;
  GET DIAGNOSTICS admitted = ROW_COUNT;
  RETURN admitted;
END $$;

-- Fresh jobs: those without a key that nothing has changed since they were added (turn 3). One waits while it has an entry
-- in `fresh`, and runs when it has none: then a lease with `fresh_at` lists it, and its row still says what it said when
-- the job was added. Most jobs end like that, in `complete_batch`. Who wants anything else of such a job calls `ground`
-- first, which writes into its row what is so; no job becomes fresh again.

-- Those of these jobs, whose rows this transaction has locked, that wait in `fresh`, wait among those that were changed
-- from now on. Waits for claims that have taken an entry and are not committed yet.
CREATE FUNCTION {{schema}}.ground_waiting(own bigint[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
  WITH gone AS (
    DELETE FROM {{schema}}.fresh USING {{schema}}.job
    WHERE job.seq = ANY (own) AND fresh.queue = job.queue AND fresh.priority = job.priority AND fresh.seq = job.seq
    RETURNING fresh.seq)
  UPDATE {{schema}}.job SET turn = 0 FROM gone WHERE job.seq = gone.seq;
END $$;

-- Rows of `job` are locked first, then entries of `fresh`. Whoever claims holds entries and never waits for rows.
-- With `tokens`, those who run are looked for in these leases alone. Where `waits` is false, rows that somebody has are
-- left as they are.
CREATE FUNCTION {{schema}}.ground(seqs bigint[], tokens bigint[] DEFAULT NULL, waits boolean DEFAULT true)
RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  own bigint[];
BEGIN
  IF waits THEN
    own := ARRAY(SELECT job.seq FROM {{schema}}.job WHERE job.seq = ANY (seqs) AND turn = 3 ORDER BY job.seq FOR UPDATE);
  ELSE
    own := ARRAY(
      SELECT job.seq FROM {{schema}}.job WHERE job.seq = ANY (seqs) AND turn = 3 ORDER BY job.seq FOR UPDATE SKIP LOCKED);
  END IF;
  IF cardinality(own) = 0 THEN RETURN; END IF;
  PERFORM {{schema}}.ground_waiting(own);
  -- A statement of its own, so that it sees the leases of claims that were waited for.
  UPDATE {{schema}}.job SET state = 'running', turn = 0, lease = held.token, attempt = job.attempt + 1,
    started_at = held.fresh_at
  FROM (
    SELECT lease.token, lease.fresh_at, member.seq FROM {{schema}}.lease CROSS JOIN unnest(lease.seqs) AS member (seq)
    WHERE lease.fresh_at IS NOT NULL AND (tokens IS NULL OR lease.token = ANY (tokens))) AS held
  WHERE job.seq = held.seq AND job.seq = ANY (own) AND job.turn = 3;
END $$;

-- Takes the first fresh jobs of a queue behind a place, as many as there is room for, out of `fresh` into the line of
-- those that were changed, for who has to look at both lines together. Waits for nobody.
CREATE FUNCTION {{schema}}.ground_line(of_queue text, after_priority bigint, after_seq bigint, room bigint)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  own bigint[] := ARRAY(
    SELECT seq FROM {{schema}}.fresh WHERE queue = of_queue AND (priority, seq) > (after_priority, after_seq)
    ORDER BY priority, seq LIMIT room FOR UPDATE SKIP LOCKED);
BEGIN
  IF cardinality(own) = 0 THEN RETURN; END IF;
  own := ARRAY(SELECT seq FROM {{schema}}.job WHERE seq = ANY (own) AND turn = 3 ORDER BY seq FOR UPDATE SKIP LOCKED);
  PERFORM {{schema}}.ground_waiting(own);
END $$;

-- Of these jobs, each with the token it is said to have, when it was claimed out of `fresh` by that token, and null where
-- it was not.
CREATE FUNCTION {{schema}}.fresh_starts(seqs bigint[], tokens bigint[]) RETURNS bigint[] LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_hashjoin = on SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  RETURN (
    SELECT array_agg(held.fresh_at ORDER BY given.place)
    FROM unnest(seqs, tokens) WITH ORDINALITY AS given (seq, token, place)
    LEFT JOIN (
      SELECT lease.token, lease.fresh_at, member.seq FROM {{schema}}.lease CROSS JOIN unnest(lease.seqs) AS member (seq)
      WHERE lease.token = ANY (tokens) AND lease.fresh_at IS NOT NULL) AS held
    ON held.seq = given.seq AND held.token = given.token);
END $$;

-- Whether a job that is fresh, by its row, waits.
CREATE FUNCTION {{schema}}.is_waiting(job {{schema}}.job) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM {{schema}}.fresh
    WHERE fresh.queue = job.queue AND fresh.priority = job.priority AND fresh.seq = job.seq)
$$;
