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

-- Fresh jobs: those without a key that nothing has changed since they were added (turn 3). One waits while a range in
-- `fresh` has its number, and runs when none has: then a lease with `fresh_at` lists it, and its row still says what it
-- said when the job was added. Most jobs end like that, in `complete_batch`. Who wants anything else of such a job calls
-- `ground` first, which writes into its row what is so; no job becomes fresh again.

-- Adds ranges to the line. None goes beyond a multiple of 128: who takes a part of one keeps others from the rest of it for
-- the length of a transaction.
CREATE FUNCTION {{schema}}.line_up(of_queue text, of_priority integer, seqs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  first bigint := seqs[1];
  last bigint := seqs[cardinality(seqs)];
BEGIN
  IF last - first + 1 = cardinality(seqs) THEN
    INSERT INTO {{schema}}.fresh (queue, priority, first_seq, next_seq, last_seq)
    SELECT of_queue, of_priority, part.first, part.first, least(last, number * 128 + 127)
    FROM generate_series(first / 128, last / 128) AS number
      CROSS JOIN LATERAL (SELECT greatest(first, number * 128) AS first) AS part;
  ELSE
    INSERT INTO {{schema}}.fresh (queue, priority, first_seq, next_seq, last_seq)
    SELECT of_queue, of_priority, min(given.seq), min(given.seq), max(given.seq)
    FROM unnest(seqs) WITH ORDINALITY AS given (seq, place) GROUP BY given.seq - given.place, given.seq / 128;
  END IF;
END $$;

-- Those of these jobs, whose rows this transaction has locked, that wait in `fresh` leave it, and are told. Waits for claims
-- that have taken a range and are not committed yet.
CREATE FUNCTION {{schema}}.leave_line(own bigint[]) RETURNS bigint[] LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_nestloop = on SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  entry record;
  left_line bigint[];
  gone bigint[] := '{}';
BEGIN
  LOOP
    SELECT array_agg(range.queue) AS queues, array_agg(range.priority) AS priorities, array_agg(range.first_seq) AS firsts
    INTO entry FROM (
      SELECT DISTINCT job.queue, job.priority, around.first_seq
      FROM {{schema}}.job CROSS JOIN LATERAL (
        SELECT first_seq, next_seq, last_seq FROM {{schema}}.fresh
        WHERE fresh.queue = job.queue AND fresh.priority = job.priority AND fresh.first_seq <= job.seq
        ORDER BY fresh.queue DESC, fresh.priority DESC, fresh.first_seq DESC LIMIT 1) AS around
      WHERE job.seq = ANY (own) AND job.turn = 3 AND job.seq BETWEEN around.next_seq AND around.last_seq
      ORDER BY 1, 2, 3) AS range;
    -- Who was waited for may have left parts of a range: they are looked for again.
    IF entry.firsts IS NULL THEN RETURN gone; END IF;
    PERFORM FROM unnest(entry.queues, entry.priorities, entry.firsts) AS known (queue, priority, first_seq)
      JOIN {{schema}}.fresh USING (queue, priority, first_seq)
    ORDER BY fresh.queue, fresh.priority, fresh.first_seq FOR UPDATE OF fresh;
    WITH taken AS (
      DELETE FROM {{schema}}.fresh USING unnest(entry.queues, entry.priorities, entry.firsts) AS known (queue, priority, first_seq)
      WHERE fresh.queue = known.queue AND fresh.priority = known.priority AND fresh.first_seq = known.first_seq
      RETURNING fresh.queue, fresh.priority, fresh.next_seq, fresh.last_seq
    ), member AS (
      SELECT taken.*, number.seq, number.seq IN (SELECT mine FROM unnest(own) AS mine) AS leaves
      FROM taken CROSS JOIN LATERAL generate_series(taken.next_seq, taken.last_seq) AS number (seq)
    ), kept AS (
      INSERT INTO {{schema}}.fresh (queue, priority, first_seq, next_seq, last_seq)
      SELECT stays.queue, stays.priority, min(stays.seq), min(stays.seq), max(stays.seq)
      FROM (
        SELECT queue, priority, next_seq, seq, seq - row_number() OVER (PARTITION BY queue, priority, next_seq ORDER BY seq) AS run
        FROM member WHERE NOT leaves) AS stays
      GROUP BY stays.queue, stays.priority, stays.next_seq, stays.run
    )
    SELECT array_agg(seq) INTO left_line FROM member WHERE leaves;
    gone := gone || left_line;
  END LOOP;
END $$;

-- Rows of `job` are locked first, then entries of `fresh`. Whoever claims holds entries and never waits for rows.
-- With `tokens`, those who run are looked for in these leases alone. Where `waits` is false, rows that somebody has are
-- left as they are.
CREATE FUNCTION {{schema}}.ground(seqs bigint[], tokens bigint[] DEFAULT NULL, waits boolean DEFAULT true)
RETURNS void LANGUAGE plpgsql
SET enable_hashjoin = on SET enable_seqscan = off SET enable_nestloop = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  own bigint[];
  waiting bigint[];
BEGIN
  IF waits THEN
    own := ARRAY(SELECT job.seq FROM {{schema}}.job WHERE job.seq = ANY (seqs) AND turn = 3 ORDER BY job.seq FOR UPDATE);
  ELSE
    own := ARRAY(
      SELECT job.seq FROM {{schema}}.job WHERE job.seq = ANY (seqs) AND turn = 3 ORDER BY job.seq FOR UPDATE SKIP LOCKED);
  END IF;
  IF cardinality(own) = 0 THEN RETURN; END IF;
  waiting := {{schema}}.leave_line(own);
  IF cardinality(waiting) > 0 THEN UPDATE {{schema}}.job SET turn = 0 WHERE seq = ANY (waiting); END IF;
  IF cardinality(waiting) = cardinality(own) THEN RETURN; END IF;
  -- A statement of its own, so that it sees the leases of claims that were waited for.
  UPDATE {{schema}}.job SET state = 'running', turn = 0, lease = held.token, attempt = job.attempt + 1,
    started_at = held.fresh_at
  FROM (
    SELECT lease.token, lease.fresh_at, member.seq
    FROM {{schema}}.lease CROSS JOIN LATERAL {{schema}}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
    WHERE lease.fresh_at IS NOT NULL AND (tokens IS NULL OR lease.token = ANY (tokens))
      AND lease.firsts[1] <= own[cardinality(own)] AND lease.lasts[cardinality(lease.lasts)] >= own[1]) AS held
  WHERE job.seq = held.seq AND job.seq = ANY (own) AND job.turn = 3;
END $$;

-- The numbers in ranges, such as those of a lease's jobs, in their order.
CREATE FUNCTION {{schema}}.range_seqs(firsts bigint[], lasts bigint[]) RETURNS SETOF bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT number.seq FROM unnest(firsts, lasts) AS range (first, last)
    CROSS JOIN LATERAL generate_series(range.first, range.last) AS number (seq)
$$;

-- Whether a lease lists all jobs from `first` to `last`; null where it lists not even a smaller number.
CREATE FUNCTION {{schema}}.has_range(firsts bigint[], lasts bigint[], first bigint, last bigint) RETURNS boolean LANGUAGE sql IMMUTABLE AS
  $$ SELECT lasts[width_bucket(first, firsts)] >= last $$;

-- Takes the first fresh jobs of a queue behind a place, as many as there is room for, out of `fresh` into the line
-- of those that were changed, for who has to look at both lines together. Waits for nobody.
CREATE FUNCTION {{schema}}.ground_line(of_queue text, after_priority bigint, after_seq bigint, room bigint)
RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  line CURSOR FOR
    SELECT greatest(next_seq, CASE WHEN priority = after_priority THEN after_seq + 1 END) AS first_seq, last_seq
    FROM {{schema}}.fresh
    WHERE queue = of_queue AND (priority, last_seq) > (after_priority, after_seq) AND priority >= after_priority
    ORDER BY queue, priority, fresh.first_seq FOR UPDATE SKIP LOCKED;
  own bigint[] := '{}';
BEGIN
  FOR entry IN line LOOP
    own := own || ARRAY(
      SELECT number FROM generate_series(entry.first_seq, least(entry.last_seq, entry.first_seq + room - cardinality(own) - 1)) AS number);
    EXIT WHEN cardinality(own) >= room;
  END LOOP;
  IF cardinality(own) = 0 THEN RETURN; END IF;
  own := ARRAY(SELECT seq FROM {{schema}}.job WHERE seq = ANY (own) AND turn = 3 ORDER BY seq FOR UPDATE SKIP LOCKED);
  own := {{schema}}.leave_line(own);
  UPDATE {{schema}}.job SET turn = 0 WHERE seq = ANY (own);
END $$;

-- Whether a job that is fresh, by its row, waits.
CREATE FUNCTION {{schema}}.is_waiting(job {{schema}}.job) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM (
      SELECT next_seq, last_seq FROM {{schema}}.fresh
      WHERE fresh.queue = job.queue AND fresh.priority = job.priority AND fresh.first_seq <= job.seq
      ORDER BY fresh.queue DESC, fresh.priority DESC, fresh.first_seq DESC LIMIT 1) AS around
    WHERE job.seq BETWEEN around.next_seq AND around.last_seq)
$$;
