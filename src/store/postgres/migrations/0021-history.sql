-- Jobs that ended lie in one partition a state and day (UTC), such as history_failed_20260131, made ahead by `prune`.
-- What is older than every queue keeps goes by dropping a partition: no row is touched, and none must be vacuumed.
-- Changing partitions locks out who writes to that state, so it waits for nobody for long and comes last.

-- Milliseconds a queue keeps jobs of a state, and how many; null = for ever, any number. `defaults` is RETENTION_DEFAULT.
CREATE FUNCTION {{schema}}.keep_of(queue text, of {{schema}}.job_state, defaults jsonb)
RETURNS TABLE (age_ms bigint, jobs bigint) LANGUAGE sql STABLE AS $$
  SELECT ceil((keep->>'ageMs')::numeric)::bigint, (keep->>'count')::bigint
  FROM (SELECT coalesce((SELECT retention FROM {{schema}}.queue WHERE name = keep_of.queue), defaults)->of::text) AS found (keep)
$$;

-- The partitions of days of a state: what they are called and where they end.
CREATE FUNCTION {{schema}}.history_days(of {{schema}}.job_state)
RETURNS TABLE (part oid, name text, past bigint) LANGUAGE sql STABLE SET search_path = {{schema}}, pg_temp AS $$
  SELECT pg_class.oid, relname::text,
    extract(epoch FROM to_date(right(relname, 8), 'YYYYMMDD') + 1)::bigint * 1000
  FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
  WHERE relname ~ '_[0-9]{8}$' AND inhparent = to_regclass('history_' || of)
$$;

-- Makes the partition of the day that begins at `first`, and moves there what lies in the default partition. False
-- where that is too much, null when somebody holds it.
CREATE FUNCTION {{schema}}.make_history_day(of {{schema}}.job_state, first bigint) RETURNS boolean LANGUAGE plpgsql
SET search_path = {{schema}}, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  parent text := 'history_' || of;
  rest text := parent || '_default';
  made text := parent || to_char(to_timestamp(first / 1000) AT TIME ZONE 'UTC', '_YYYYMMDD');
  past bigint := first + 86400000;
  misplaced bigint;
BEGIN
  IF EXISTS (SELECT FROM history_days(of) WHERE name = made) THEN RETURN true; END IF;
  EXECUTE format('SELECT count(*) FROM (SELECT FROM %I WHERE finished_at >= $1 AND finished_at < $2 LIMIT 50001) AS few', rest)
    INTO misplaced USING first, past;
  -- Moving so many would hold up everybody for too long. They are pruned one by one instead.
  IF misplaced > 50000 THEN RETURN false; END IF;
  -- The parent too: who has read which partitions there are, and waits for the default one, would miss what moves.
  EXECUTE format('LOCK TABLE ONLY %I, %I IN ACCESS EXCLUSIVE MODE', parent, rest);
  EXECUTE format('CREATE TABLE %I (LIKE history INCLUDING DEFAULTS)', made);
  EXECUTE format('ALTER TABLE %I REPLICA IDENTITY FULL', made);
  EXECUTE format(
    'WITH moved AS (DELETE FROM %I WHERE finished_at >= $1 AND finished_at < $2 RETURNING *) INSERT INTO %I SELECT * FROM moved',
    rest, made) USING first, past;
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, made, first, past);
  RETURN true;
EXCEPTION WHEN lock_not_available OR duplicate_table OR unique_violation THEN
  RETURN NULL;
END $$;

-- Drops a partition; how many jobs it had, null when somebody holds it.
CREATE FUNCTION {{schema}}.drop_history_day(part text) RETURNS bigint LANGUAGE plpgsql
SET search_path = {{schema}}, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
  jobs bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM %I', part) INTO jobs;
  EXECUTE format('DROP TABLE %I', part);
  RETURN jobs;
EXCEPTION WHEN lock_not_available OR undefined_table THEN
  RETURN NULL;
END $$;

-- Partitions that no queue keeps anything of.
CREATE FUNCTION {{schema}}.history_to_drop(of {{schema}}.job_state, seen bigint, defaults jsonb)
RETURNS TABLE (part oid, name text) LANGUAGE plpgsql AS $$
DECLARE
  forever text[];
  longest bigint;
  needed boolean;
BEGIN
  SELECT coalesce(array_agg(queue.name) FILTER (WHERE age_ms IS NULL), '{}'),
    greatest(max(age_ms), ceil((defaults->of::text->>'ageMs')::numeric))
  INTO forever, longest
  FROM {{schema}}.queue, {{schema}}.keep_of(queue.name, of, defaults);
  FOR part, name IN SELECT day.part, day.name FROM {{schema}}.history_days(of) AS day WHERE past - 1 <= seen - longest LOOP
    needed := false;
    IF forever <> '{}' THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE queue = ANY ($1))', part::regclass) INTO needed USING forever;
    END IF;
    IF NOT needed THEN RETURN NEXT; END IF;
  END LOOP;
END $$;

-- Deletes the oldest jobs of a queue and state beyond what is kept, at most `room`, partitions in `gone` aside. Returns
-- how many are beyond, counted up to more than `room`.
CREATE FUNCTION {{schema}}.prune_line(of {{schema}}.job_state, line text, seen bigint, room bigint, defaults jsonb, gone oid[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  keep record;
  beyond bigint := 0;
  aged bigint;
  last record;
BEGIN
  SELECT * INTO keep FROM {{schema}}.keep_of(line, of, defaults);
  IF keep.jobs IS NOT NULL THEN
    SELECT greatest(0, count(*) - keep.jobs) INTO beyond
    FROM {{schema}}.history WHERE state = of AND queue = line AND tableoid <> ALL (gone);
  END IF;
  IF keep.age_ms IS NOT NULL AND beyond <= room THEN
    SELECT count(*) INTO aged FROM (
      SELECT FROM {{schema}}.history
      WHERE state = of AND queue = line AND finished_at <= seen - keep.age_ms AND tableoid <> ALL (gone)
      LIMIT room + 1) AS few;
    beyond := greatest(beyond, aged);
  END IF;
  IF least(beyond, room) = 0 THEN RETURN beyond; END IF;
  SELECT finished_at, seq INTO last FROM {{schema}}.history
  WHERE state = of AND queue = line AND tableoid <> ALL (gone)
  ORDER BY finished_at, seq OFFSET least(beyond, room) - 1 LIMIT 1;
  DELETE FROM {{schema}}.history
  WHERE state = of AND queue = line AND finished_at <= last.finished_at
    AND (finished_at < last.finished_at OR seq <= last.seq) AND tableoid <> ALL (gone);
  RETURN beyond;
END $$;

-- All queues that have jobs which ended in a state: a step of the index for each, however many jobs it has.
CREATE FUNCTION {{schema}}.history_queues(of {{schema}}.job_state) RETURNS SETOF text LANGUAGE sql STABLE AS $$
  WITH RECURSIVE line (queue) AS (
    (SELECT queue FROM {{schema}}.history WHERE state = of ORDER BY queue LIMIT 1)
    UNION ALL
    SELECT (SELECT queue FROM {{schema}}.history WHERE state = of AND queue > line.queue ORDER BY queue LIMIT 1)
    FROM line WHERE line.queue IS NOT NULL)
  SELECT queue FROM line WHERE queue IS NOT NULL
$$;

-- Store.prune.
CREATE FUNCTION {{schema}}.prune(seen bigint, room bigint, worker_kept_ms bigint, defaults jsonb)
RETURNS TABLE (jobs bigint, workers bigint, more boolean) LANGUAGE plpgsql
SET search_path = {{schema}}, pg_temp AS $$
DECLARE
  of {{schema}}.job_state;
  line text;
  beyond bigint;
  -- Making and dropping tables is their owner's right, and one at a time is enough.
  arranges boolean := pg_has_role((SELECT relowner FROM pg_class WHERE oid = to_regclass('history')), 'USAGE')
    AND pg_try_advisory_xact_lock(hashtextextended('longshore prune', to_regclass('history')::oid::bigint));
  gone oid[] := '{}';
  names text[] := '{}';
BEGIN
  jobs := 0;
  more := false;
  DELETE FROM {{schema}}.unique_key WHERE key IN (
    SELECT key FROM {{schema}}.unique_key WHERE ended IS NOT NULL AND until <= seen LIMIT 10000 FOR UPDATE SKIP LOCKED);
  DELETE FROM {{schema}}.start WHERE (queue, key, at) IN (
    SELECT start.queue, start.key, start.at FROM {{schema}}.start
    WHERE key <> '' AND at <= seen - (
      SELECT coalesce((limits->'perKey'->'rate'->>'perMs')::numeric, 0) FROM {{schema}}.queue WHERE name = start.queue)
    LIMIT 10000 FOR UPDATE SKIP LOCKED);
  DELETE FROM {{schema}}.worker WHERE seen_at + lease_ms <= seen - worker_kept_ms
    AND NOT EXISTS (SELECT FROM {{schema}}.lease WHERE worker_id = worker.id);
  GET DIAGNOSTICS workers = ROW_COUNT;
  FOREACH of IN ARRAY ARRAY['completed', 'failed', 'cancelled']::{{schema}}.job_state[] LOOP
    IF arranges THEN
      SELECT gone || coalesce(array_agg(part), '{}'), names || coalesce(array_agg(name), '{}') INTO gone, names
      FROM {{schema}}.history_to_drop(of, seen, defaults);
    END IF;
    FOR line IN SELECT {{schema}}.history_queues(of) LOOP
      beyond := {{schema}}.prune_line(of, line, seen, room - jobs, defaults, gone);
      more := more OR beyond > room - jobs;
      jobs := jobs + least(beyond, room - jobs);
      EXIT WHEN more;
    END LOOP;
  END LOOP;
  IF arranges THEN jobs := jobs + {{schema}}.arrange_history(seen, names); END IF;
  RETURN NEXT;
END $$;

-- Makes the partitions of the days to come and drops those named; how many jobs went. Who holds one likely holds all,
-- a dump for example, and while this waits for it others wait for this: so it waits once, and the next prune goes on.
CREATE FUNCTION {{schema}}.arrange_history(seen bigint, names text[]) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  of {{schema}}.job_state;
  first bigint;
  name text;
  dropped bigint;
  jobs bigint := 0;
BEGIN
  FOREACH of IN ARRAY ARRAY['completed', 'failed', 'cancelled']::{{schema}}.job_state[] LOOP
    FOR first IN SELECT generate_series(seen - seen % 86400000, seen + 2 * 86400000, 86400000) LOOP
      IF {{schema}}.make_history_day(of, first) IS NULL THEN RETURN jobs; END IF;
    END LOOP;
  END LOOP;
  FOREACH name IN ARRAY names LOOP
    dropped := {{schema}}.drop_history_day(name);
    EXIT WHEN dropped IS NULL;
    jobs := jobs + dropped;
  END LOOP;
  RETURN jobs;
END $$;
