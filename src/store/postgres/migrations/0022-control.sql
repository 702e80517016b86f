-- What operators do to single jobs and to queues. Who may do what in which state stands in core/job-state.ts and comes
-- with the call.

-- Adds an audit entry to a job that lives.
CREATE FUNCTION {{schema}}.audit_job(of_seq bigint, entry json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {{schema}}.job_trail (seq, kind, nth, entry)
  VALUES (of_seq, 'audit', {{schema}}.last_entry(of_seq, 'audit') + 1, entry::text);
  UPDATE {{schema}}.job SET trailed = true WHERE seq = of_seq AND NOT trailed;
END $$;

-- The job that ended and has this id; `since`, a guess when it may have ended at the earliest, spares looking at all.
CREATE FUNCTION {{schema}}.ended_job(of_id uuid, since bigint) RETURNS {{schema}}.history LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET jit = off AS $$
DECLARE
  found_job {{schema}}.history;
BEGIN
  SELECT * INTO found_job FROM {{schema}}.history WHERE id = of_id AND finished_at >= since;
  IF NOT FOUND THEN SELECT * INTO found_job FROM {{schema}}.history WHERE id = of_id; END IF;
  RETURN found_job;
END $$;

-- Takes a job's row out of history, or nothing when another did. `was` tells where it lies.
CREATE FUNCTION {{schema}}.forget_ended(was {{schema}}.history) RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
BEGIN
  DELETE FROM {{schema}}.history
  WHERE id = was.id AND seq = was.seq AND state = was.state AND finished_at = was.finished_at;
  RETURN FOUND;
END $$;

-- The locks of a batch of commands, in the order of all: unique keys that are to be taken again, jobs, lines of keys.
CREATE FUNCTION {{schema}}.lock_for_control(ids uuid[], redriven uuid[], since bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
  IF cardinality(redriven) > 0 THEN
    PERFORM {{schema}}.lock_unique(array_agg(({{schema}}.ended_job(redrive.id, since)).unique_key))
    FROM unnest(redriven) AS redrive (id);
  END IF;
  PERFORM {{schema}}.ground(ARRAY(SELECT seq FROM {{schema}}.job WHERE id = ANY (ids)));
  PERFORM FROM {{schema}}.job WHERE id = ANY (ids) ORDER BY seq FOR UPDATE;
  PERFORM FROM {{schema}}.history WHERE id = ANY (ids) AND finished_at >= since ORDER BY seq FOR UPDATE;
  PERFORM {{schema}}.lock_keys(array_agg(keyed.queue), array_agg(keyed.key)) FROM (
    SELECT queue, key FROM {{schema}}.job WHERE id = ANY (ids) AND key IS NOT NULL
    UNION
    SELECT old.queue, old.key FROM unnest(redriven) AS redrive (id), {{schema}}.ended_job(redrive.id, since) AS old
    WHERE old.key IS NOT NULL) AS keyed;
END $$;

-- Writes waiting jobs that are cancelled, each with an audit entry at the same place of its list. Tells the topics.
CREATE FUNCTION {{schema}}.end_waiting(changes json[], entries json[], at bigint) RETURNS SETOF text LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  seqs bigint[] := ARRAY(SELECT (change->>'seq')::bigint FROM unnest(changes) AS change);
BEGIN
  INSERT INTO {{schema}}.job_trail (seq, kind, nth, entry)
  SELECT given.seq, 'audit', {{schema}}.last_entry(given.seq, 'audit') + 1, given.entry::text
  FROM unnest(seqs, entries) AS given (seq, entry);
  UPDATE {{schema}}.job SET trailed = true WHERE seq = ANY (seqs) AND NOT trailed;
  RETURN QUERY SELECT topic FROM {{schema}}.write_changes(array_to_json(changes), at);
END $$;

-- Store.control. `commands` is a JSON array of JobCommand; `allowed` has the states that allow each type. Tells what
-- became of each command, place from 1, and last, with place 0, the topics of the hints.
CREATE FUNCTION {{schema}}.control(commands json, allowed json, at bigint, since bigint)
RETURNS TABLE (place bigint, status text, state text) LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  command record;
  job {{schema}}.job;
  old {{schema}}.history;
  was text;
  entry json;
  topics text[] := '{}';
  -- Waiting jobs that are cancelled one after the other are written at once.
  ending uuid[] := '{}';
  endings json[] := '{}';
  entries json[] := '{}';
BEGIN
  PERFORM {{schema}}.lock_for_control(array_agg(given.id), array_agg(given.id) FILTER (WHERE given.type = 'redrive'), since)
  FROM json_to_recordset(commands) AS given (type text, id uuid);
  FOR command IN
    SELECT * FROM ROWS FROM (json_to_recordset(commands) AS (
        type text, id uuid, by text, why text, result text, "dueAt" float8, priority integer))
      WITH ORDINALITY AS given (type, id, by, why, result, due_at, priority, place)
  LOOP
    place := command.place;
    state := NULL;
    IF cardinality(ending) > 0 AND (command.type <> 'cancel' OR command.id = ANY (ending)) THEN
      topics := topics || ARRAY(SELECT topic FROM {{schema}}.end_waiting(endings, entries, at) AS topic);
      ending := '{}';
      endings := '{}';
      entries := '{}';
    END IF;
    -- Not all of them are locked yet: some may have been added since.
    SELECT * INTO job FROM {{schema}}.job AS live WHERE live.id = command.id FOR UPDATE;
    IF job.turn = 3 THEN
      PERFORM {{schema}}.ground(ARRAY[job.seq]);
      SELECT * INTO job FROM {{schema}}.job AS live WHERE live.id = command.id;
    ELSIF job.key IS NOT NULL THEN
      PERFORM {{schema}}.lock_keys(ARRAY[job.queue], ARRAY[job.key]);
    END IF;
    old := NULL;
    IF job.id IS NULL THEN old := {{schema}}.ended_job(command.id, since); END IF;
    was := coalesce(job.state, old.state)::text;
    status := CASE WHEN was IS NULL THEN 'unknown'
      WHEN NOT EXISTS (SELECT FROM json_array_elements_text(allowed->command.type) AS of WHERE of = was) THEN 'refused' END;
    IF status IS NOT NULL THEN
      state := was;
      RETURN NEXT;
      CONTINUE;
    END IF;
    status := 'done';
    state := CASE command.type
      WHEN 'cancel' THEN CASE WHEN was = 'running' THEN was ELSE 'cancelled' END
      WHEN 'redrive' THEN 'ready'
      WHEN 'resolve' THEN 'completed'
      WHEN 'reschedule' THEN CASE WHEN command.due_at > at THEN 'scheduled' ELSE 'ready' END
      WHEN 'reprioritize' THEN was END;
    entry := json_build_object('at', at, 'action', command.type, 'by', command."by", 'why', command.why,
      'from', was, 'to', state);
    CASE command.type
      WHEN 'cancel' THEN
        IF was = 'running' THEN
          PERFORM {{schema}}.audit_job(job.seq, entry);
          UPDATE {{schema}}.job AS live SET cancel_requested = true WHERE live.seq = job.seq;
          status := 'requested';
          topics := topics || 'control'::text;
        ELSE
          ending := ending || job.id;
          entries := entries || entry;
          endings := endings || json_build_object('seq', job.seq, 'state', state, 'stays', false,
            'attempt', job.attempt, 'crashes', job.crashes, 'finishedAt', at, 'cancelled', true);
        END IF;
      WHEN 'redrive' THEN
        IF {{schema}}.redrive_job(old, at) THEN
          PERFORM {{schema}}.audit_job(old.seq, entry);
          topics := topics || 'ready'::text;
        ELSE
          status := 'refused';
          state := {{schema}}.state_of(command.id);
        END IF;
      WHEN 'resolve' THEN
        IF {{schema}}.resolve_job(old, command.result, at, entry) THEN
          topics := topics || ARRAY['settled', 'plan'];
        ELSE
          status := 'refused';
          state := {{schema}}.state_of(command.id);
        END IF;
      WHEN 'reschedule' THEN
        PERFORM {{schema}}.reschedule_job(job, state::{{schema}}.job_state, greatest(at, ceil(command.due_at)::bigint));
        PERFORM {{schema}}.audit_job(job.seq, entry);
        topics := topics || 'ready'::text;
      WHEN 'reprioritize' THEN
        UPDATE {{schema}}.job AS live SET priority = command.priority WHERE live.seq = job.seq;
        PERFORM {{schema}}.audit_job(job.seq, entry);
      WHEN 'remove' THEN
        topics := topics || {{schema}}.remove_job(job, old, at);
    END CASE;
    RETURN NEXT;
  END LOOP;
  IF cardinality(ending) > 0 THEN
    topics := topics || ARRAY(SELECT topic FROM {{schema}}.end_waiting(endings, entries, at) AS topic);
  END IF;
  IF cardinality(topics) > 0 THEN
    place := 0;
    status := array_to_string(ARRAY(SELECT DISTINCT topic FROM unnest(topics) AS topic), ',');
    state := NULL;
    RETURN NEXT;
  END IF;
END $$;

-- Back from history, with its trail, and to its unique key, or without one if somebody has it by now. False when another was
-- faster.
CREATE FUNCTION {{schema}}.redrive_job(old {{schema}}.history, at bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT {{schema}}.forget_ended(old) THEN RETURN false; END IF;
  INSERT INTO {{schema}}.job (seq, id, queue, task, state, priority, attempts_max, turn, created_at, due_at, started_at,
    ticket, unique_key, key, progress, input, meta)
  VALUES (old.seq, old.id, old.queue, old.task, 'ready', old.priority, old.attempts_max,
    {{schema}}.new_turn(old.queue, old.key, old.ticket, 'ready'), old.created_at, at, old.started_at, old.ticket,
    old.unique_key, old.key, old.progress, old.input, old.meta);
  INSERT INTO {{schema}}.job_trail (seq, kind, nth, entry)
  SELECT old.seq, entry->>0, (entry->>2)::integer, (entry->1)::text FROM json_array_elements(old.trail::json) AS kept (entry);
  IF old.unique_key IS NOT NULL THEN
    INSERT INTO {{schema}}.unique_key AS held (key, id, until) VALUES (old.unique_key, old.id, at)
    ON CONFLICT (key) DO UPDATE SET ended = NULL, id = excluded.id,
      until = CASE WHEN held.id = excluded.id THEN held.until ELSE excluded.until END
    WHERE held.id = excluded.id
      OR (held.until <= at AND NOT EXISTS (SELECT FROM {{schema}}.job WHERE job.id = held.id));
    IF NOT FOUND THEN UPDATE {{schema}}.job SET unique_key = NULL WHERE seq = old.seq; END IF;
  END IF;
  RETURN true;
END $$;

-- Failed becomes completed, which may be a state of which nothing is kept.
CREATE FUNCTION {{schema}}.resolve_job(old {{schema}}.history, new_result text, at bigint, entry json) RETURNS boolean
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  -- Without its number: a completed job is never redriven.
  line text := json_build_array('audit', entry)::text;
BEGIN
  IF EXISTS (
    SELECT FROM {{schema}}.queue WHERE name = old.queue AND drops AND {{schema}}.drops_state(retention, 'completed'))
  THEN
    IF NOT {{schema}}.forget_ended(old) THEN RETURN false; END IF;
  ELSE
    UPDATE {{schema}}.history SET state = 'completed', result = new_result, finished_at = at,
      trail = CASE WHEN trail IS NULL THEN '[' || line || ']' ELSE left(trail, -1) || ',' || line || ']' END
    WHERE id = old.id AND seq = old.seq AND state = old.state AND finished_at = old.finished_at;
    IF NOT FOUND THEN RETURN false; END IF;
  END IF;
  IF old.unique_key IS NOT NULL THEN
    PERFORM {{schema}}.release_keys(ARRAY[old.unique_key], ARRAY[old.id], ARRAY['completed'], at);
  END IF;
  IF old.meta IS NOT NULL THEN
    PERFORM {{schema}}.report_ends(ARRAY[old.meta], ARRAY[old.id], ARRAY['completed'], ARRAY[new_result], ARRAY[NULL::text],
      ARRAY[old.attempt], ARRAY[old.started_at], at);
  END IF;
  RETURN true;
END $$;

CREATE FUNCTION {{schema}}.reschedule_job(was {{schema}}.job, new_state {{schema}}.job_state, new_due_at bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  turn_then integer := CASE
    WHEN was.key IS NOT NULL AND was.turn <= 0 AND new_state = 'ready' THEN CASE WHEN was.ticket IS NULL THEN 0 ELSE -2 END
    ELSE {{schema}}.new_turn(was.queue, was.key, was.ticket, new_state) END;
BEGIN
  UPDATE {{schema}}.job SET state = new_state, turn = turn_then, due_at = new_due_at WHERE seq = was.seq;
  IF was.key IS NOT NULL AND was.turn <= 0 AND turn_then > 0 THEN
    PERFORM {{schema}}.admit(ARRAY[was.queue], ARRAY[was.key], true);
  END IF;
END $$;

-- Tells the topics of the hints: whoever waits for the job's end learns that it is gone.
CREATE FUNCTION {{schema}}.remove_job(was {{schema}}.job, old {{schema}}.history, at bigint) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
  topics text[] := '{settled}';
BEGIN
  DELETE FROM {{schema}}.unique_key
  WHERE key = coalesce(was.unique_key, old.unique_key) AND id = coalesce(was.id, old.id);
  IF was.id IS NULL THEN
    PERFORM {{schema}}.forget_ended(old);
    RETURN topics;
  END IF;
  IF was.meta IS NOT NULL AND {{schema}}.report_ends(ARRAY[was.meta], ARRAY[was.id], ARRAY['cancelled'], ARRAY[NULL::text],
    ARRAY[{{schema}}.last_error(was.seq)], ARRAY[was.attempt], ARRAY[was.started_at], at)
  THEN topics := topics || 'plan'::text; END IF;
  DELETE FROM {{schema}}.job_trail WHERE seq = was.seq;
  DELETE FROM {{schema}}.job WHERE seq = was.seq;
  IF was.key IS NOT NULL AND was.turn <= 0 AND {{schema}}.admit(ARRAY[was.queue], ARRAY[was.key], true) > 0 THEN
    topics := topics || 'ready'::text;
  END IF;
  RETURN topics;
END $$;

-- Store.clear deletes in steps, each a short transaction: the next three functions delete about `room` jobs of a queue, none
-- with a number above `last_seq`, and tell how many they found (`seen`; fewer than `room`: there are no more) and deleted.

-- Fresh jobs that wait: they have neither trails nor keys. Locks rows before entries, as all do who wait for either. Jobs that
-- are claimed meanwhile are left to their workers.
CREATE FUNCTION {{schema}}.clear_fresh(of_queue text, last_seq bigint, room bigint)
RETURNS TABLE (seen bigint, jobs bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  found record;
  taken record;
  own bigint[];
BEGIN
  SELECT coalesce(sum(entry.size), 0) AS jobs, array_agg(entry.priority) AS priorities, array_agg(entry.first_seq) AS keys,
    array_agg(entry.next_seq) AS firsts, array_agg(entry.last_seq) AS lasts
  INTO found FROM (
    SELECT line.*, sum(line.size) OVER (ORDER BY line.priority, line.first_seq) AS total FROM (
      SELECT range.priority, range.first_seq, range.next_seq, range.last_seq, range.last_seq - range.next_seq + 1 AS size
      FROM {{schema}}.fresh AS range WHERE range.queue = of_queue AND range.first_seq <= last_seq
      ORDER BY range.queue, range.priority, range.first_seq LIMIT room) AS line) AS entry
  WHERE entry.total - entry.size < room;
  seen := found.jobs;
  jobs := 0;
  IF seen > 0 THEN
    own := ARRAY(SELECT {{schema}}.range_seqs(found.firsts, found.lasts));
    PERFORM FROM {{schema}}.job WHERE seq = ANY (own) AND turn = 3 ORDER BY seq FOR UPDATE;
    -- One by one: a join would read all entries of the queue.
    SELECT array_agg(line.place) AS places, array_agg(line.next_seq) AS firsts, array_agg(line.last_seq) AS lasts INTO taken
    FROM unnest(found.priorities, found.keys) AS known (priority, first_seq)
      CROSS JOIN LATERAL (
        SELECT fresh.ctid AS place, fresh.next_seq, fresh.last_seq FROM {{schema}}.fresh
        WHERE fresh.queue = of_queue AND fresh.priority = known.priority AND fresh.first_seq = known.first_seq
        FOR UPDATE) AS line;
    DELETE FROM {{schema}}.fresh WHERE ctid = ANY (taken.places);
    own := ARRAY(SELECT {{schema}}.range_seqs(taken.firsts, taken.lasts));
    DELETE FROM {{schema}}.job WHERE seq = ANY (own) AND turn = 3;
    GET DIAGNOSTICS jobs = ROW_COUNT;
  END IF;
  RETURN NEXT;
END $$;

-- Other living jobs in some states, with their trails and keys; and the topics of the hints. Held jobs go first, so that
-- none is let in only to be deleted.
CREATE FUNCTION {{schema}}.clear_live(of_queue text, states text[], last_seq bigint, room bigint)
RETURNS TABLE (seen bigint, jobs bigint, topics text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
  own bigint[];
  gone record;
BEGIN
  own := ARRAY(
    SELECT part.seq FROM (
      SELECT job.seq FROM {{schema}}.job
      WHERE 'ready' = ANY (states) AND state = 'ready' AND key IS NOT NULL AND turn = 1 AND turn < 2 AND queue = of_queue
      UNION ALL
      SELECT job.seq FROM {{schema}}.job WHERE 'ready' = ANY (states) AND state = 'ready' AND turn = 0 AND queue = of_queue
      UNION ALL
      SELECT job.seq FROM {{schema}}.job WHERE 'ready' = ANY (states) AND state = 'ready' AND turn = -2 AND queue = of_queue
      UNION ALL
      SELECT job.seq FROM {{schema}}.job WHERE 'scheduled' = ANY (states) AND state = 'scheduled' AND queue = of_queue
      UNION ALL
      SELECT job.seq FROM {{schema}}.lease CROSS JOIN LATERAL {{schema}}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
        JOIN {{schema}}.job ON job.seq = member.seq
          AND (job.lease = lease.token OR job.turn = 3 AND lease.fresh_at IS NOT NULL)
      WHERE 'running' = ANY (states) AND lease.queue = of_queue
    -- An expression, so that no part reads the table by its numbers.
    ) AS part WHERE part.seq + 0 <= last_seq LIMIT room);
  seen := cardinality(own);
  jobs := 0;
  topics := '';
  IF seen > 0 THEN
    IF 'running' = ANY (states) THEN PERFORM {{schema}}.ground(own); END IF;
    PERFORM FROM {{schema}}.job WHERE seq = ANY (own) ORDER BY seq FOR UPDATE;
    PERFORM {{schema}}.lock_keys(array_agg(keyed.queue), array_agg(keyed.key)) FROM (
      SELECT DISTINCT job.queue, job.key FROM {{schema}}.job WHERE job.seq = ANY (own) AND job.key IS NOT NULL) AS keyed;
    WITH cleared AS (
      DELETE FROM {{schema}}.job
      WHERE seq = ANY (own) AND queue = of_queue AND turn <> 3 AND state = ANY (states::{{schema}}.job_state[]) RETURNING *
    ), free AS (
      DELETE FROM {{schema}}.unique_key USING cleared
      WHERE unique_key.key = cleared.unique_key AND unique_key.id = cleared.id
    ), trails AS (
      DELETE FROM {{schema}}.job_trail USING cleared WHERE cleared.trailed AND job_trail.seq = cleared.seq
    )
    SELECT count(*) AS jobs, array_agg(lease) FILTER (WHERE lease IS NOT NULL) AS leases,
      array_agg(DISTINCT key ORDER BY key) FILTER (WHERE key IS NOT NULL) AS keys,
      array_agg(meta ORDER BY seq) FILTER (WHERE meta LIKE '%"plan"%') AS metas,
      array_agg(id ORDER BY seq) FILTER (WHERE meta LIKE '%"plan"%') AS reporters,
      array_agg(attempt ORDER BY seq) FILTER (WHERE meta LIKE '%"plan"%') AS attempts,
      array_agg(started_at ORDER BY seq) FILTER (WHERE meta LIKE '%"plan"%') AS starts
    INTO gone FROM cleared;
    jobs := gone.jobs;
    topics := 'settled';
    IF gone.metas IS NOT NULL AND {{schema}}.report_ends(gone.metas, gone.reporters,
      array_fill('cancelled'::text, ARRAY[cardinality(gone.metas)]), array_fill(NULL::text, ARRAY[cardinality(gone.metas)]),
      array_fill(NULL::text, ARRAY[cardinality(gone.metas)]), gone.attempts, gone.starts, {{schema}}.now_ms())
    THEN topics := topics || ',plan'; END IF;
    IF gone.keys IS NOT NULL
      AND {{schema}}.admit(array_fill(of_queue, ARRAY[cardinality(gone.keys)]), gone.keys, true) > 0
    THEN topics := topics || ',ready'; END IF;
    IF gone.leases IS NOT NULL AND {{schema}}.leave_leases(gone.leases) THEN topics := topics || ',ready'; END IF;
  END IF;
  RETURN NEXT;
END $$;

-- Jobs that ended in a state, the oldest first and all that ended in one millisecond together, from the time `after` on.
-- `ended_at` is where the next step goes on, so that none wades through what those before it deleted.
CREATE FUNCTION {{schema}}.clear_ended(of_queue text, of {{schema}}.job_state, last_seq bigint, after bigint, room bigint)
RETURNS TABLE (seen bigint, jobs bigint, ended_at bigint) LANGUAGE plpgsql
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_variable
BEGIN
  ended_at := (
    SELECT finished_at FROM {{schema}}.history
    WHERE history.state = of AND history.queue = of_queue AND finished_at >= after AND history.seq <= last_seq
    ORDER BY finished_at OFFSET room - 1 LIMIT 1);
  WITH cleared AS (
    DELETE FROM {{schema}}.history
    WHERE history.state = of AND history.queue = of_queue AND history.seq <= last_seq
      AND finished_at BETWEEN after AND coalesce(ended_at, 9223372036854775807)
    RETURNING history.id, history.unique_key
  ), free AS (
    DELETE FROM {{schema}}.unique_key USING cleared
    WHERE unique_key.key = cleared.unique_key AND unique_key.id = cleared.id
  )
  SELECT count(*) INTO jobs FROM cleared;
  seen := CASE WHEN ended_at IS NULL THEN least(jobs, room - 1) ELSE room END;
  RETURN NEXT;
END $$;
