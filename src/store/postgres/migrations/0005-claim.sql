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

-- The claimed jobs in the order of their queues and lines, many in a row. `head`, by claim_head, is what takes no text: in one
-- column, since a column more takes both sides some 4 us. `seqs` and what is behind it are lists, `tasks` and `inputs` too. Of one
-- value for all of them they have it once, or of numbers without a gap the first. Numbers and ids are divided by commas, texts by
-- the character U+001F, U+001E alone being null, or they are JSON. The last row tells the time and when to ask again, divided by
-- a semicolon. Where `mixed`, the rows of a queue are two lines, both in order.
CREATE FUNCTION {{schema}}.claim_jobs(
  worker text, claim uuid, queues text[], wanted integer, lease_ms bigint, given_now bigint)
RETURNS TABLE (head text, queue text, tasks text, keys text, inputs text)
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
  look_again boolean := false;
  next_at bigint;
BEGIN
  IF wanted > 0 AND cardinality(queues) > 1 THEN
    IF 1 < (SELECT count(*) FROM {{schema}}.queue WHERE name = ANY (queues) AND limits IS NOT NULL)
      AND NOT EXISTS (SELECT FROM {{schema}}.queue WHERE name = '*' AND paused_at IS NOT NULL)
    THEN PERFORM {{schema}}.lock_limited(queues, at); END IF;
  END IF;
  -- All that decides what is to be done for a queue comes at one look: a statement more costs some 25 us on a connection that
  -- rests between two claims. EXISTS instead of LIMIT 1 would be done by a hash of all such jobs of all queues, where the plan was
  -- made while there were few.
  FOR this IN
    SELECT given.name, settings.limits, settings.limits->'rate' AS rate, settings.limits#>'{perKey,rate}' AS key_rate,
      (SELECT due_at FROM {{schema}}.job WHERE state = 'scheduled' AND queue = given.name ORDER BY due_at LIMIT 1) AS due_at,
      (SELECT true FROM {{schema}}.job WHERE state = 'ready' AND turn = 0 AND queue = given.name LIMIT 1) AS changed,
      (SELECT true FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND queue = given.name LIMIT 1) AS ticketed,
      line.places, line.priorities, line.firsts
    FROM unnest(queues) WITH ORDINALITY AS given (name, number)
    LEFT JOIN {{schema}}.queue AS settings ON settings.name = given.name
    CROSS JOIN LATERAL (
      SELECT array_agg(place) AS places, array_agg(priority) AS priorities, array_agg(first_seq) AS firsts FROM (
        SELECT ctid AS place, priority, first_seq FROM {{schema}}.fresh
        WHERE queue = given.name AND settings.limits IS NULL
        ORDER BY priority, first_seq LIMIT 2) AS entry) AS line
    WHERE settings.paused_at IS NULL
      AND NOT EXISTS (SELECT FROM {{schema}}.queue AS every WHERE every.name = '*' AND every.paused_at IS NOT NULL)
    ORDER BY given.number
  LOOP
    IF this.limits IS NULL AND this.changed IS NULL AND this.ticketed IS NULL AND coalesce(this.due_at > at, true)
      AND coalesce(cardinality(this.places) = 1, true)
    THEN
      again := least(again, this.due_at);
      CONTINUE WHEN this.places IS NULL OR wanted <= 0;
      WITH entry AS (
        DELETE FROM {{schema}}.fresh
        WHERE ctid = (
            SELECT ctid FROM {{schema}}.fresh WHERE ctid = this.places[1] AND queue = this.name FOR UPDATE SKIP LOCKED)
          AND next_seq = last_seq
        RETURNING next_seq AS seq, priority
      ), made AS (
        INSERT INTO {{schema}}.lease (worker_id, queue, claim_id, expires_at, live, firsts, lasts, fresh_at)
        SELECT worker, this.name, claim, at + lease_ms, 1, ARRAY[seq], ARRAY[seq], at FROM entry RETURNING token)
      SELECT made.token, job.seq, job.id, entry.priority, job.attempts_max, job.created_at, job.due_at, job.task, job.input
      INTO taken FROM entry CROSS JOIN made JOIN {{schema}}.job ON job.seq = entry.seq;
      IF taken.seq IS NOT NULL THEN
        head := concat(taken.token, ';f;1;f;', taken.seq, ';', taken.id, ';', taken.priority, ';1;', taken.attempts_max, ';0;',
          taken.created_at, ';', taken.due_at);
        queue := this.name;
        tasks := taken.task;
        inputs := taken.input;
        RETURN NEXT;
        wanted := wanted - 1;
        CONTINUE;
      END IF;
    END IF;
    look_again := true;
    IF this.due_at <= at THEN
      PERFORM {{schema}}.promote(this.name, at);
      this.ticketed := EXISTS (SELECT FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND queue = this.name);
    END IF;
    room := wanted;
    IF room > 0 AND this.limits IS NOT NULL THEN
      SELECT * INTO choice FROM {{schema}}.limited_room(this.name, this.limits, room, given_now, at);
      room := choice.room;
      at := choice.at;
      -- It may have waited for other claims: its line is looked at only now.
      this.ticketed := (SELECT true FROM {{schema}}.job WHERE state = 'ready' AND turn = -2 AND queue = this.name LIMIT 1);
      this.priorities := '{-2147483648}';
      this.firsts := '{0}';
    END IF;
    CONTINUE WHEN room <= 0;
    IF this.ticketed OR jsonb_typeof(this.key_rate) = 'object' THEN
      PERFORM {{schema}}.ground_line(this.name, -2147483649, 0, room);
      SELECT * INTO choice FROM {{schema}}.choose(
        this.name, room, CASE WHEN jsonb_typeof(this.key_rate) = 'object' THEN this.key_rate END, at);
      IF NOT choice.done THEN again := at; END IF;
      rows := cardinality(choice.seqs);
      IF rows > 0 THEN
        RETURN QUERY SELECT * FROM {{schema}}.start_changed(this.name, choice.seqs, worker, claim, lease_ms, at, false);
      END IF;
    ELSE
      SELECT * INTO taken FROM {{schema}}.take_first(this.name, room, this.priorities[1], this.firsts[1]);
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
  IF look_again THEN
    -- Once all queues were looked at: what a queue waits for may have come about by another one's claim.
    FOR this IN
      SELECT given.name, settings.limits->'rate' AS rate
      FROM unnest(queues) AS given (name) LEFT JOIN {{schema}}.queue AS settings ON settings.name = given.name
      WHERE settings.paused_at IS NULL
        AND NOT EXISTS (SELECT FROM {{schema}}.queue AS every WHERE every.name = '*' AND every.paused_at IS NOT NULL)
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
  END IF;
  head := concat(at, ';', again);
  queue := NULL;
  tasks := NULL;
  inputs := NULL;
  RETURN NEXT;
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
