-- Jobs out (claim.ts). A claim of a queue without limits waits for nobody: what others hold is passed over. Claims of a
-- queue with limits come one after the other, since each counts what the others started.

-- core/limits.ts `rateRoom` over the table `start`.
CREATE FUNCTION {{schema}}.rate_room(of_queue text, of_key text, rate jsonb, at bigint)
RETURNS TABLE (room bigint, next_at bigint) LANGUAGE plpgsql STABLE SET enable_seqscan = off SET jit = off AS $$
DECLARE
  most bigint := (rate->>'count')::bigint;
  per_ms float8 := (rate->>'perMs')::float8;
  used bigint;
BEGIN
  SELECT coalesce(sum(start.starts), 0) INTO used FROM {{schema}}.start
  WHERE start.queue = of_queue AND start.key = of_key AND start.at > rate_room.at - per_ms;
  room := greatest(0, most - used);
  next_at := rate_room.at;
  IF room = 0 THEN
    -- The window frees up when enough of the oldest starts leave it.
    SELECT ceil(log.at + per_ms)::bigint INTO next_at FROM (
      SELECT start.at, sum(start.starts) OVER (ORDER BY start.at) AS until_then FROM {{schema}}.start
      WHERE start.queue = of_queue AND start.key = of_key AND start.at > rate_room.at - per_ms) AS log
    WHERE log.until_then > used - most ORDER BY log.at LIMIT 1;
  END IF;
  RETURN NEXT;
END $$;

CREATE FUNCTION {{schema}}.take_starts(of_queue text, of_key text, rate jsonb, jobs bigint, at bigint)
RETURNS void LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
BEGIN
  DELETE FROM {{schema}}.start
  WHERE start.queue = of_queue AND start.key = of_key AND start.at <= take_starts.at - (rate->>'perMs')::float8;
  INSERT INTO {{schema}}.start AS log (queue, key, at, starts) VALUES (of_queue, of_key, take_starts.at, jobs)
  ON CONFLICT (queue, key, at) DO UPDATE SET starts = log.starts + excluded.starts;
END $$;

-- What is due becomes ready. One claim promotes at most 10,000 jobs a queue, to bound its time; the next one goes on.
CREATE FUNCTION {{schema}}.promote(of_queue text, at bigint) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off
SET jit = off AS $$
DECLARE
  due record;
BEGIN
  UPDATE {{schema}}.job SET state = 'ready' WHERE seq IN (
    SELECT seq FROM {{schema}}.job
    WHERE state = 'scheduled' AND queue = of_queue AND due_at <= at AND key IS NULL
    ORDER BY due_at LIMIT 10000 FOR UPDATE SKIP LOCKED);
  FOR due IN
    SELECT seq, key, turn, ticket FROM {{schema}}.job
    WHERE state = 'scheduled' AND queue = of_queue AND due_at <= at AND key IS NOT NULL
    ORDER BY due_at, seq LIMIT 10000 FOR UPDATE SKIP LOCKED
  LOOP
    -- A claim that waited here could wait for one that waits for it. The next claim takes what this one leaves.
    CONTINUE WHEN NOT {{schema}}.try_lock_key(of_queue, due.key);
    UPDATE {{schema}}.job SET state = 'ready', turn = CASE
      WHEN due.turn > 0 THEN {{schema}}.new_turn(of_queue, due.key, due.ticket, 'ready')
      WHEN due.ticket IS NULL THEN 0 ELSE -2 END
    WHERE seq = due.seq;
  END LOOP;
END $$;

-- The first jobs of the line, locked, in its order: those who were let in among those who never waited for it. With
-- `rate`, only those whose keys' rates have room; the others are put off, in the line of their keys. `done` is false
-- when there may be more to take at once: a call looks at 1,000 jobs a rate, or a little more.
CREATE FUNCTION {{schema}}.choose(of_queue text, room integer, rate jsonb, at bigint, OUT seqs bigint[], OUT done boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  last_priority bigint := -2147483649;
  last_place bigint := 0;
  examined integer := 0;
  seen integer;
  candidate record;
  key_room record;
BEGIN
  seqs := '{}';
  done := true;
  LOOP
    seen := 0;
    FOR candidate IN
      SELECT * FROM (
        (SELECT seq, key, priority, seq AS place FROM {{schema}}.job
         WHERE state = 'ready' AND turn = 0 AND queue = of_queue AND (priority, seq) > (last_priority, last_place)
         ORDER BY priority, seq LIMIT room + 100)
        UNION ALL
        (SELECT seq, key, priority, ticket AS place FROM {{schema}}.job
         WHERE state = 'ready' AND turn = -2 AND queue = of_queue AND (priority, ticket) > (last_priority, last_place)
         ORDER BY priority, ticket LIMIT room + 100)) AS line
      ORDER BY priority, place LIMIT room + 100
    LOOP
      IF cardinality(seqs) >= room THEN RETURN; END IF;
      seen := seen + 1;
      last_priority := candidate.priority;
      last_place := candidate.place;
      PERFORM FROM {{schema}}.job WHERE seq = candidate.seq AND state = 'ready' AND turn <= 0 AND queue = of_queue
      FOR UPDATE SKIP LOCKED;
      CONTINUE WHEN NOT FOUND;
      IF rate IS NOT NULL AND candidate.key IS NOT NULL THEN
        SELECT * INTO key_room FROM {{schema}}.rate_room(of_queue, candidate.key, rate, at);
        IF key_room.room = 0 THEN
          UPDATE {{schema}}.job SET state = 'scheduled', turn = -1, due_at = key_room.next_at WHERE seq = candidate.seq;
          CONTINUE;
        END IF;
        PERFORM {{schema}}.take_starts(of_queue, candidate.key, rate, 1, at);
      END IF;
      seqs := seqs || candidate.seq::bigint;
    END LOOP;
    examined := examined + seen;
    IF seen < room + 100 OR cardinality(seqs) >= room THEN RETURN; END IF;
    IF rate IS NOT NULL AND examined >= 1000 THEN
      done := false;
      RETURN;
    END IF;
  END LOOP;
END $$;

-- Takes the first jobs of both lines of a queue, at most `room`: those of `fresh`, as ranges in the order of the line, and
-- those that were changed. Where it takes only some of what it has locked, others pass over the rest until the commit.
CREATE FUNCTION {{schema}}.take_first(of_queue text, room integer,
  OUT firsts bigint[], OUT lasts bigint[], OUT priorities integer[], OUT jobs integer, OUT changed bigint[])
LANGUAGE plpgsql AS $$
DECLARE
  line CURSOR FOR
    SELECT entry.priority, entry.first_seq, entry.next_seq, entry.last_seq FROM {{schema}}.fresh AS entry
    WHERE entry.queue = of_queue ORDER BY entry.priority, entry.first_seq FOR UPDATE SKIP LOCKED;
  others record;
  other integer := 1;
  last integer := 0;
  part bigint;
  whole_priorities integer[] := '{}';
  whole_firsts bigint[] := '{}';
BEGIN
  jobs := 0;
  SELECT array_agg(seq) AS seqs, array_agg(priority) AS priorities INTO others FROM (
    SELECT seq, priority FROM {{schema}}.job WHERE state = 'ready' AND turn = 0 AND queue = of_queue
    ORDER BY priority, seq LIMIT room FOR UPDATE SKIP LOCKED) AS waiting;
  FOR entry IN line LOOP
    WHILE room > 0 AND (others.priorities[other] < entry.priority
      OR others.priorities[other] = entry.priority AND others.seqs[other] < entry.next_seq)
    LOOP
      other := other + 1;
      room := room - 1;
    END LOOP;
    EXIT WHEN room = 0;
    part := least(room, entry.last_seq - entry.next_seq + 1);
    IF last > 0 AND lasts[last] = entry.next_seq - 1 AND priorities[last] = entry.priority THEN
      lasts[last] := entry.next_seq + part - 1;
    ELSE
      last := last + 1;
      firsts[last] := entry.next_seq;
      lasts[last] := entry.next_seq + part - 1;
      priorities[last] := entry.priority;
    END IF;
    jobs := jobs + part;
    room := room - part;
    IF entry.next_seq + part > entry.last_seq THEN
      whole_priorities := whole_priorities || entry.priority;
      whole_firsts := whole_firsts || entry.first_seq;
    ELSE
      UPDATE {{schema}}.fresh SET next_seq = next_seq + part
      WHERE queue = of_queue AND priority = entry.priority AND first_seq = entry.first_seq;
    END IF;
    EXIT WHEN room = 0;
  END LOOP;
  other := least(other + room, cardinality(others.seqs) + 1);
  changed := others.seqs[1:other - 1];
  IF cardinality(whole_firsts) > 0 THEN
    DELETE FROM {{schema}}.fresh USING unnest(whole_priorities, whole_firsts) AS whole (priority, first_seq)
    WHERE fresh.queue = of_queue AND fresh.priority = whole.priority AND fresh.first_seq = whole.first_seq;
  END IF;
END $$;

-- The same ranges in ascending order, as few as possible.
CREATE FUNCTION {{schema}}.joined(INOUT firsts bigint[], INOUT lasts bigint[]) LANGUAGE plpgsql IMMUTABLE AS $$
#variable_conflict use_column
BEGIN
  IF cardinality(firsts) = 1 THEN RETURN; END IF;
  SELECT array_agg(range.first ORDER BY range.first), array_agg(range.last ORDER BY range.first) INTO firsts, lasts FROM (
    SELECT min(first) AS first, max(last) AS last FROM (
      SELECT first, last, sum(CASE WHEN follows THEN 0 ELSE 1 END) OVER (ORDER BY first) AS number FROM (
        SELECT first, last, first - 1 = lag(last) OVER (ORDER BY first) AS follows
        FROM unnest(firsts, lasts) AS part (first, last)) AS given) AS numbered
    GROUP BY number) AS range;
END $$;

-- The claimed jobs in the order of their queues and lines, many in a row: `seqs` and the columns behind it are lists. Of one
-- value for all of them they have it once, or of numbers without a gap the first. Numbers and ids are divided by commas, texts by
-- the character U+001F, U+001E alone being null, or they are JSON. A last row without a lease tells in created_at the time
-- and in due_at when to ask again. Where `mixed`, the rows of a queue are two lines, both in order.
CREATE FUNCTION {{schema}}.claim_jobs(
  worker text, claim uuid, queues text[], wanted integer, lease_ms bigint, given_now bigint)
RETURNS TABLE (
  lease bigint, queue text, mixed boolean, jobs integer, seqs text, ids text, priorities text, attempts text, attempts_max text,
  crashes text, created_at text, due_at text, tasks text, keys text, inputs text, is_json boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off
SET enable_sort = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  this record;
  room integer;
  taken record;
  choice record;
  rows integer;
  again bigint;
  next_at bigint;
BEGIN
  IF EXISTS (SELECT FROM {{schema}}.queue WHERE name = '*' AND paused_at IS NOT NULL) THEN queues := '{}'; END IF;
  IF wanted > 0 AND cardinality(queues) > 1
    AND 1 < (SELECT count(*) FROM {{schema}}.queue WHERE name = ANY (queues) AND limits IS NOT NULL)
  THEN PERFORM {{schema}}.lock_limited(queues, at); END IF;
  FOR this IN
    SELECT given.name, settings.limits, settings.limits->'rate' AS rate, settings.limits#>'{perKey,rate}' AS key_rate
    FROM unnest(queues) WITH ORDINALITY AS given (name, number)
    LEFT JOIN {{schema}}.queue AS settings ON settings.name = given.name
    WHERE settings.paused_at IS NULL ORDER BY given.number
  LOOP
    IF EXISTS (SELECT FROM {{schema}}.job WHERE state = 'scheduled' AND queue = this.name AND due_at <= at) THEN
      PERFORM {{schema}}.promote(this.name, at);
    END IF;
    room := wanted;
    IF room > 0 AND this.limits IS NOT NULL THEN
      SELECT * INTO choice FROM {{schema}}.limited_room(this.name, this.limits, room, given_now, at);
      room := choice.room;
      at := choice.at;
    END IF;
    CONTINUE WHEN room <= 0;
    IF EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND queue = this.name)
      OR jsonb_typeof(this.key_rate) = 'object'
    THEN
      PERFORM {{schema}}.ground_line(this.name, -2147483649, 0, room);
      SELECT * INTO choice FROM {{schema}}.choose(
        this.name, room, CASE WHEN jsonb_typeof(this.key_rate) = 'object' THEN this.key_rate END, at);
      IF NOT choice.done THEN again := at; END IF;
      rows := cardinality(choice.seqs);
      IF rows > 0 THEN
        RETURN QUERY SELECT * FROM {{schema}}.start_changed(this.name, choice.seqs, worker, claim, lease_ms, at, false);
      END IF;
    ELSE
      SELECT * INTO taken FROM {{schema}}.take_first(this.name, room);
      rows := taken.jobs + coalesce(cardinality(taken.changed), 0);
      IF taken.jobs > 0 THEN
        RETURN QUERY SELECT * FROM {{schema}}.start_fresh(
          this.name, taken.firsts, taken.lasts, taken.priorities, worker, claim, lease_ms, at, taken.jobs,
          taken.jobs < rows);
      END IF;
      IF taken.jobs < rows THEN
        RETURN QUERY SELECT * FROM {{schema}}.start_changed(
          this.name, taken.changed, worker, claim, lease_ms, at, taken.jobs > 0);
      END IF;
      -- Who claims at this moment may have locked more than is taken. Nobody tells of that: 5 ms, so that nobody asks
      -- without a pause.
      IF rows < room AND (EXISTS (SELECT FROM {{schema}}.fresh WHERE queue = this.name)
        OR EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = 0 AND queue = this.name))
      THEN again := least(again, at + 5); END IF;
    END IF;
    wanted := wanted - rows;
    IF rows > 0 AND jsonb_typeof(this.rate) = 'object' THEN
      PERFORM {{schema}}.take_starts(this.name, '', this.rate, rows, at);
    END IF;
  END LOOP;
  -- Once all queues were looked at: what a queue waits for may have come about by another one's claim.
  FOR this IN
    SELECT given.name, settings.limits->'rate' AS rate
    FROM unnest(queues) AS given (name) LEFT JOIN {{schema}}.queue AS settings ON settings.name = given.name
    WHERE settings.paused_at IS NULL
  LOOP
    next_at := (SELECT due_at FROM {{schema}}.job WHERE state = 'scheduled' AND queue = this.name ORDER BY due_at LIMIT 1);
    -- What is due and still scheduled is held by somebody, and may be for long: 5 ms, so that nobody asks without a pause.
    again := least(again, CASE WHEN next_at <= at THEN at + 5 ELSE next_at END);
    -- In this order and each by its own index: both at once would read the table from its start, through all that is dead.
    CONTINUE WHEN jsonb_typeof(this.rate) IS DISTINCT FROM 'object';
    IF EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = 0 AND queue = this.name)
      OR EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND queue = this.name)
      OR EXISTS (SELECT FROM {{schema}}.fresh WHERE queue = this.name)
    THEN
      SELECT CASE WHEN place.room = 0 THEN place.next_at END INTO next_at
      FROM {{schema}}.rate_room(this.name, '', this.rate, at) AS place;
      again := least(again, next_at);
    END IF;
  END LOOP;
  created_at := at::text;
  due_at := again::text;
  RETURN NEXT;
END $$;

-- Leases ranges of fresh jobs, in the order of their line, and tells of them as claim_jobs does: at most 128 in a row, to
-- bound its size.
CREATE FUNCTION {{schema}}.start_fresh(of_queue text, firsts bigint[], lasts bigint[], of_priorities integer[], worker text,
  claim uuid, lease_ms bigint, at bigint, of_jobs integer, of_both boolean)
RETURNS TABLE (
  lease bigint, queue text, mixed boolean, jobs integer, seqs text, ids text, priorities text, attempts text, attempts_max text,
  crashes text, created_at text, due_at text, tasks text, keys text, inputs text, is_json boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  own record;
  part record;
  seen record;
  list record;
BEGIN
  lease := nextval($seq${{schema}}.lease_token_seq$seq$);
  queue := of_queue;
  mixed := of_both;
  attempts := '1';
  crashes := '0';
  SELECT * INTO own FROM {{schema}}.joined(firsts, lasts);
  INSERT INTO {{schema}}.lease (token, worker_id, queue, claim_id, expires_at, live, firsts, lasts, fresh_at)
  VALUES (lease, worker, of_queue, claim, at + lease_ms, of_jobs, own.firsts, own.lasts, at);
  FOR part IN
    SELECT start.seq AS first, least(start.seq + 127, run.last) AS last, run.priority
    FROM unnest(firsts, lasts, of_priorities) AS run (first, last, priority)
      CROSS JOIN LATERAL generate_series(run.first, run.last, 128) AS start (seq)
  LOOP
    seqs := part.first::text;
    priorities := part.priority::text;
    is_json := false;
    -- What is gathered of many takes 60 us also of one.
    IF part.first = part.last THEN
      SELECT 1, id::text, attempts_max::text, created_at::text, due_at::text, task, input
      INTO jobs, ids, attempts_max, created_at, due_at, tasks, inputs
      FROM {{schema}}.job WHERE seq = part.first;
      CONTINUE WHEN NOT FOUND;
      RETURN NEXT;
      CONTINUE;
    END IF;
    SELECT count(*)::integer AS jobs, string_agg(id::text, ',') AS ids, string_agg(coalesce(input, E'\x1e'), E'\x1f') AS inputs,
      count(input) = 0 AS empty, coalesce(bool_or(input = E'\x1e'), false) AS odd, min(task COLLATE "C") AS task,
      min(attempts_max) AS attempts_max, min(created_at) AS created_at, min(due_at) AS due_at,
      min(task COLLATE "C") = max(task COLLATE "C") AND min(attempts_max) = max(attempts_max)
        AND min(created_at) = max(created_at) AND min(due_at) = max(due_at) AS alike
    INTO seen FROM (
      SELECT id, input, task, attempts_max, created_at, due_at FROM {{schema}}.job
      WHERE seq BETWEEN part.first AND part.last ORDER BY seq) AS job;
    CONTINUE WHEN seen.jobs = 0;
    jobs := seen.jobs;
    ids := seen.ids;
    attempts_max := seen.attempts_max::text;
    created_at := seen.created_at::text;
    due_at := seen.due_at::text;
    tasks := seen.task;
    inputs := CASE WHEN jobs > 1 OR NOT seen.empty THEN seen.inputs END;
    IF NOT seen.alike OR jobs < part.last - part.first + 1 THEN
      SELECT string_agg(seq::text, ',') AS seqs, string_agg(attempts_max::text, ',') AS attempts_max,
        string_agg(created_at::text, ',') AS created_at, string_agg(due_at::text, ',') AS due_at,
        string_agg(task, E'\x1f') AS tasks
      INTO list FROM (
        SELECT seq, task, attempts_max, created_at, due_at FROM {{schema}}.job
        WHERE seq BETWEEN part.first AND part.last ORDER BY seq) AS job;
      seqs := list.seqs;
      attempts_max := list.attempts_max;
      created_at := list.created_at;
      due_at := list.due_at;
      tasks := list.tasks;
    END IF;
    IF jobs > 1 AND (seen.odd OR {{schema}}.dividers(inputs) <> jobs - 1 OR {{schema}}.dividers(tasks) NOT IN (0, jobs - 1)) THEN
      is_json := true;
      SELECT json_agg(input)::text, json_agg(task)::text INTO inputs, tasks FROM (
        SELECT input, task FROM {{schema}}.job WHERE seq BETWEEN part.first AND part.last ORDER BY seq) AS job;
    END IF;
    RETURN NEXT;
  END LOOP;
END $$;

CREATE FUNCTION {{schema}}.dividers(list text) RETURNS integer LANGUAGE sql IMMUTABLE AS
  $$ SELECT octet_length(list) - octet_length(replace(list, E'\x1f', '')) $$;

-- Leases jobs that were changed since they were added, in this order, and tells of them as claim_jobs does, each in a row.
CREATE FUNCTION {{schema}}.start_changed(of_queue text, own bigint[], worker text, claim uuid, lease_ms bigint, at bigint,
  of_both boolean)
RETURNS TABLE (
  lease bigint, queue text, mixed boolean, jobs integer, seqs text, ids text, priorities text, attempts text, attempts_max text,
  crashes text, created_at text, due_at text, tasks text, keys text, inputs text, is_json boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  token bigint := nextval($seq${{schema}}.lease_token_seq$seq$);
BEGIN
  INSERT INTO {{schema}}.lease (token, worker_id, queue, claim_id, expires_at, live, firsts, lasts)
  SELECT token, worker, of_queue, claim, at + lease_ms, cardinality(own), range.firsts, range.lasts
  FROM {{schema}}.joined(own, own) AS range;
  RETURN QUERY
    WITH taken AS (
      UPDATE {{schema}}.job SET state = 'running', lease = token, attempt = attempt + 1, started_at = at, turn = 0
      FROM unnest(own) WITH ORDINALITY AS chosen (seq, place) WHERE job.seq = chosen.seq
      RETURNING job.*, chosen.place)
    SELECT token, queue, of_both, 1, seq::text, id::text, priority::text, attempt::text, attempts_max::text, crashes::text,
      created_at::text, due_at::text, task, key, input, false
    FROM taken ORDER BY place;
END $$;

-- Whether claims of a queue with these limits count what the others start.
CREATE FUNCTION {{schema}}.counts_starts(limits jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(jsonb_typeof(limits->'concurrency') = 'number' OR jsonb_typeof(limits->'rate') = 'object'
    OR jsonb_typeof(limits#>'{perKey,rate}') = 'object', false)
$$;

-- Claims look at their queues in turns, so those that would hold several limited ones take them beforehand, in one order.
CREATE FUNCTION {{schema}}.lock_limited(queues text[], at bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(line.number, -1) FROM (
    SELECT DISTINCT hashtext('{{channel}} ' || queue.name) AS number FROM {{schema}}.queue
    WHERE queue.name = ANY (queues) AND queue.paused_at IS NULL AND {{schema}}.counts_starts(queue.limits)
      AND (EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = 0 AND job.queue = queue.name)
        OR EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND job.queue = queue.name)
        OR EXISTS (SELECT FROM {{schema}}.fresh WHERE fresh.queue = queue.name)
        OR EXISTS (SELECT FROM {{schema}}.job WHERE state = 'scheduled' AND job.queue = queue.name AND due_at <= at))
    ORDER BY 1) AS line;
END $$;

-- How many of `wanted` jobs of a limited queue may start now. Who asks holds the queue until the commit, and may have
-- waited for it: `at` is the time after that.
CREATE FUNCTION {{schema}}.limited_room(
  of_queue text, limits jsonb, wanted integer, given_now bigint, INOUT at bigint, OUT room integer)
LANGUAGE plpgsql SET enable_bitmapscan = off SET jit = off AS $$
BEGIN
  room := 0;
  IF NOT EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = 0 AND queue = of_queue)
    AND NOT EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND queue = of_queue)
    AND NOT EXISTS (SELECT FROM {{schema}}.fresh WHERE queue = of_queue)
  THEN RETURN; END IF;
  room := wanted;
  IF NOT {{schema}}.counts_starts(limits) THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('{{channel}} ' || of_queue), -1);
  at := coalesce(given_now, {{schema}}.now_ms());
  IF jsonb_typeof(limits->'concurrency') = 'number' THEN
    room := least(room, (limits->>'concurrency')::bigint
      - (SELECT coalesce(sum(lease.live), 0) FROM {{schema}}.lease WHERE lease.queue = of_queue));
  END IF;
  IF room > 0 AND jsonb_typeof(limits->'rate') = 'object' THEN
    room := least(room, (SELECT free.room FROM {{schema}}.rate_room(of_queue, '', limits->'rate', at) AS free));
  END IF;
END $$;
