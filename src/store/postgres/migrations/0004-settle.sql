-- Jobs that stop running, and jobs that end (settle.ts). The settle rule itself stands in core/settle-rule.ts; these
-- functions write down what it says, for many jobs at once.

-- Whether a queue's settings keep no jobs that end in this state.
CREATE FUNCTION {{schema}}.drops_state(retention jsonb, state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce((retention #>> ARRAY[state, 'ageMs'])::numeric = 0, false)
    OR coalesce((retention #>> ARRAY[state, 'count'])::numeric = 0, false)
$$;

-- What a job's row in `history` keeps of its trail.
CREATE FUNCTION {{schema}}.trail_of(of_seq bigint) RETURNS text LANGUAGE sql STABLE AS $$
  SELECT json_agg(json_build_array(kind, entry::json, nth) ORDER BY kind, nth)::text
  FROM {{schema}}.job_trail WHERE seq = of_seq
$$;

-- The number of a job's last entry of a kind; 0 when there is none.
CREATE FUNCTION {{schema}}.last_entry(of_seq bigint, of_kind text) RETURNS integer LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT nth FROM {{schema}}.job_trail WHERE seq = of_seq AND kind = of_kind ORDER BY nth DESC LIMIT 1), 0)
$$;

-- Jobs left their leases: as many of each as `jobs` says, or one for each time its token stands here. True when a queue with
-- a limit has room by that.
CREATE FUNCTION {{schema}}.leave_leases(tokens bigint[], jobs bigint[] DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  gone record;
  left_live integer;
  limited text[] := ARRAY(SELECT name FROM {{schema}}.queue WHERE queue.limited);
  of_queue text;
  roomy boolean := false;
BEGIN
  -- In this order, against deadlocks.
  FOR gone IN
    SELECT given.token, sum(coalesce(given.jobs, 1)) AS jobs FROM unnest(tokens, jobs) AS given (token, jobs)
    GROUP BY given.token ORDER BY given.token
  LOOP
    UPDATE {{schema}}.lease SET live = live - gone.jobs WHERE token = gone.token RETURNING live, queue INTO left_live, of_queue;
    IF left_live <= 0 THEN DELETE FROM {{schema}}.lease WHERE token = gone.token; END IF;
    roomy := roomy OR of_queue = ANY (limited);
  END LOOP;
  RETURN coalesce(roomy, false);
END $$;

-- Jobs ended: their unique keys are free, unless a period runs on. A key whose row somebody has, such as a transaction of a
-- user that gives it to another job, is not waited for: who looks at it finds that its holder ended.
CREATE FUNCTION {{schema}}.release_keys(keys text[], ids uuid[], states text[], at bigint) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
  own text[] := ARRAY(
    SELECT held.key FROM unnest(keys, ids) AS ended (key, id)
      JOIN {{schema}}.unique_key AS held ON held.key = ended.key AND held.id = ended.id
    ORDER BY held.key FOR UPDATE OF held SKIP LOCKED);
BEGIN
  DELETE FROM {{schema}}.unique_key WHERE key = ANY (own) AND until <= at;
  UPDATE {{schema}}.unique_key SET ended = ended.state::{{schema}}.job_state
  FROM unnest(keys, ids, states) AS ended (key, id, state)
  WHERE unique_key.key = ANY (own) AND unique_key.key = ended.key AND unique_key.id = ended.id;
END $$;

-- Completes running jobs, each fenced by its lease: with each of these tokens the numbers from `first` to `last`. Places
-- count through all of them, from 1. Tells the places of those that were lost, and last, with place 0, the topics of the
-- hints. No number stands twice. Results are divided by the character U+001F, and U+001E alone is null; null when all are.
-- With `turns`, that is the order in which they ended, which says whose key's next job comes first.
CREATE FUNCTION {{schema}}.complete_batch(
  tokens bigint[], firsts bigint[], lasts bigint[], results text, turns integer[], given_now bigint, sender text)
RETURNS TABLE (place bigint, topics text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  dropping text[] := ARRAY(
    SELECT name FROM {{schema}}.queue WHERE drops AND {{schema}}.drops_state(retention, 'completed'));
  wanted bigint;
  fresh record;
  ended bigint[];
  rest record;
  hints text := 'settled';
BEGIN
  SELECT sum(run.last - run.first + 1) INTO wanted FROM unnest(firsts, lasts) AS run (first, last);
  -- Long lists are unpacked once, not for each range: that is what adding nothing to them does.
  WITH held AS MATERIALIZED (
    SELECT token, queue, fresh_at, firsts || '{}'::bigint[] AS firsts, lasts || '{}'::bigint[] AS lasts
    FROM {{schema}}.lease WHERE token = ANY (tokens) AND fresh_at IS NOT NULL)
  SELECT array_agg(run.token) AS tokens, array_agg(run.first) AS firsts, array_agg(run.last) AS lasts,
    array_agg(lease.fresh_at) AS starts, array_agg(run.last - run.first + 1) AS jobs,
    coalesce(sum(run.last - run.first + 1), 0) AS total, bool_and(lease.queue = ANY (dropping)) AS drop
  INTO fresh
  FROM unnest(tokens, firsts, lasts) AS run (token, first, last) JOIN held AS lease ON lease.token = run.token
  WHERE {{schema}}.has_range(lease.firsts, lease.lasts, run.first, run.last);
  -- What the row says is what it said when the job was added, so of one that is not kept nothing has to be read.
  IF fresh.drop THEN
    WITH gone AS (
      DELETE FROM {{schema}}.job USING unnest(fresh.firsts, fresh.lasts) AS run (first, last)
      WHERE job.seq BETWEEN run.first AND run.last AND job.turn = 3
      RETURNING job.seq)
    SELECT array_agg(gone.seq) INTO ended FROM gone;
  ELSIF fresh.total > 0 THEN
    ended := {{schema}}.keep_fresh(fresh.firsts, fresh.lasts, fresh.starts, dropping,
      CASE WHEN results IS NOT NULL THEN ARRAY(SELECT seq FROM {{schema}}.range_seqs(firsts, lasts) AS number (seq)) END, results, at);
  END IF;
  ended := coalesce(ended, '{}');
  IF cardinality(ended) < fresh.total THEN
    SELECT array_agg(run.token), NULL::bigint[] INTO fresh.tokens, fresh.jobs
    FROM unnest(fresh.tokens, fresh.firsts, fresh.lasts) AS run (token, first, last), unnest(ended) AS number
    WHERE number BETWEEN run.first AND run.last;
  END IF;
  IF cardinality(ended) < wanted THEN
    SELECT * INTO rest FROM {{schema}}.complete_each(tokens, firsts, lasts, results, turns, ended, dropping, at);
    IF rest.makes_ready THEN hints := hints || ',ready'; END IF;
    IF rest.reports THEN hints := hints || ',plan'; END IF;
    RETURN QUERY SELECT number, NULL::text FROM unnest(rest.lost) AS number;
    IF cardinality(rest.lost) = wanted THEN RETURN; END IF;
    fresh.tokens := fresh.tokens || rest.leases;
  END IF;
  -- Of all leases at once, which keeps the order of their locks.
  IF {{schema}}.leave_leases(fresh.tokens, fresh.jobs) THEN hints := hints || ',ready'; END IF;
  IF sender IS NOT NULL THEN PERFORM {{schema}}.hint(sender, hints); END IF;
  RETURN QUERY SELECT 0::bigint, hints;
END $$;

-- As complete_batch, for one job: where it is fresh, that is one statement, and one more where others of its lease still run.
CREATE FUNCTION {{schema}}.complete_one(of_token bigint, of_seq bigint, of_result text, given_now bigint, sender text)
RETURNS TABLE (place bigint, topics text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  at bigint := coalesce(given_now, {{schema}}.now_ms());
  gone record;
BEGIN
  -- A lease lists what it was made for, whatever has ended since: one of one job goes with it, without having been written.
  WITH held AS (
    SELECT lease.token, lease.fresh_at, lease.firsts[1] = lease.lasts[cardinality(lease.lasts)] AS single,
      settings.limited, settings.drops AND {{schema}}.drops_state(settings.retention, 'completed') AS dropped
    FROM {{schema}}.lease LEFT JOIN {{schema}}.queue AS settings ON settings.name = lease.queue
    WHERE lease.token = of_token AND lease.fresh_at IS NOT NULL
      AND {{schema}}.has_range(lease.firsts, lease.lasts, of_seq, of_seq)
  ), ended AS (
    DELETE FROM {{schema}}.job USING held WHERE job.seq = of_seq AND job.turn = 3
    RETURNING job.id, job.queue, job.task, job.priority, job.attempts_max, job.created_at, job.due_at, job.input,
      held.token, held.fresh_at, held.single, held.limited, held.dropped
  ), kept AS (
    INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
      cancel_requested, created_at, due_at, started_at, finished_at, input, result)
    SELECT of_seq, id, queue, task, 'completed', priority, 1, attempts_max, 0, false, created_at, due_at, fresh_at, at, input,
      of_result
    FROM ended WHERE dropped IS NOT TRUE
  ), freed AS (
    DELETE FROM {{schema}}.lease USING ended WHERE lease.token = ended.token AND ended.single
  ), left_by AS (
    UPDATE {{schema}}.lease SET live = live - 1 FROM ended WHERE lease.token = ended.token AND NOT ended.single
    RETURNING lease.live
  )
  SELECT ended.limited, (SELECT left_by.live FROM left_by) AS live INTO gone FROM ended;
  IF NOT FOUND THEN
    RETURN QUERY SELECT * FROM {{schema}}.complete_batch(
      ARRAY[of_token], ARRAY[of_seq], ARRAY[of_seq], of_result, NULL, at, sender);
    RETURN;
  END IF;
  IF gone.live <= 0 THEN DELETE FROM {{schema}}.lease WHERE token = of_token; END IF;
  place := 0;
  topics := CASE WHEN gone.limited THEN 'settled,ready' ELSE 'settled' END;
  IF sender IS NOT NULL THEN PERFORM {{schema}}.hint(sender, topics); END IF;
  RETURN NEXT;
END $$;

-- Moves fresh jobs of these ranges to history, each with the time its lease began, but for queues of which nothing is kept.
-- `numbers` tells whose the results are. Tells which of them there were.
CREATE FUNCTION {{schema}}.keep_fresh(firsts bigint[], lasts bigint[], starts bigint[], dropping text[], numbers bigint[],
  results text, at bigint)
RETURNS bigint[] LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = on SET enable_mergejoin = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
  ended bigint[];
BEGIN
  WITH gone AS (
    DELETE FROM {{schema}}.job USING unnest(firsts, lasts, starts) AS run (first, last, fresh_at)
    WHERE job.seq BETWEEN run.first AND run.last AND job.turn = 3
    RETURNING job.seq, job.id, job.queue, job.task, job.priority, job.attempts_max, job.created_at, job.due_at, job.input,
      run.fresh_at
  ), kept AS (
    INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
      cancel_requested, created_at, due_at, started_at, finished_at, input, result)
    SELECT gone.seq, gone.id, gone.queue, gone.task, 'completed', gone.priority, 1, gone.attempts_max, 0,
      false, gone.created_at, gone.due_at, gone.fresh_at, at, gone.input, given.result
    FROM gone LEFT JOIN ROWS FROM (unnest(numbers), unnest(string_to_array(results, E'\x1f', E'\x1e'))) AS given (seq, result)
      ON given.seq = gone.seq
    WHERE cardinality(dropping) = 0 OR gone.queue <> ALL (dropping)
  )
  SELECT array_agg(gone.seq) INTO ended FROM gone;
  RETURN ended;
END $$;

-- As complete_batch, for jobs of which each counts for itself, but for those that ended already. Tells which were lost, the
-- leases that the others are to leave, whether jobs of their keys became ready, and whether some reported to a plan.
CREATE FUNCTION {{schema}}.complete_each(tokens bigint[], firsts bigint[], lasts bigint[], results text, turns integer[],
  ended bigint[], dropping text[], at bigint, OUT lost bigint[], OUT leases bigint[], OUT makes_ready boolean,
  OUT reports boolean)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  numbers bigint[] := ARRAY(SELECT seq FROM {{schema}}.range_seqs(firsts, lasts) AS number (seq));
  owners bigint[] := ARRAY(
    SELECT run.token FROM unnest(tokens, firsts, lasts) AS run (token, first, last), generate_series(run.first, run.last));
  gone record;
BEGIN
  makes_ready := false;
  reports := false;
  WITH given AS MATERIALIZED (
    SELECT list.*, (
      SELECT lease.fresh_at FROM {{schema}}.lease
      WHERE lease.token = list.token AND {{schema}}.has_range(lease.firsts, lease.lasts, list.seq, list.seq)) AS fresh_at
    FROM ROWS FROM (unnest(numbers), unnest(string_to_array(results, E'\x1f', E'\x1e')), unnest(owners),
        unnest(turns))
      WITH ORDINALITY AS list (seq, result, token, turn, place)
    WHERE list.seq NOT IN (SELECT number FROM unnest(ended) AS number)
  ), over AS (
    DELETE FROM {{schema}}.job USING given
    WHERE job.seq = given.seq
      AND (job.lease = given.token AND job.state = 'running' OR job.turn = 3 AND given.fresh_at IS NOT NULL)
    RETURNING job.*, given.token, given.result, given.fresh_at, coalesce(given.turn, given.place) AS ending
  ), kept AS (
    INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
      cancel_requested, created_at, due_at, started_at, finished_at, ticket, unique_key, key, progress, input, meta, result, trail)
    SELECT seq, id, queue, task, 'completed', priority, CASE WHEN turn = 3 THEN attempt + 1 ELSE attempt END,
      attempts_max, crashes, cancel_requested, created_at, due_at, CASE WHEN turn = 3 THEN fresh_at ELSE started_at END,
      at, ticket, unique_key, key, progress, input, meta, result,
      CASE WHEN trailed THEN {{schema}}.trail_of(seq) END
    FROM over WHERE cardinality(dropping) = 0 OR queue <> ALL (dropping)
  )
  SELECT array_agg(token) AS leases, array_agg(seq) AS seqs,
    array_agg(seq) FILTER (WHERE trailed) AS trailed,
    array_agg(unique_key) FILTER (WHERE unique_key IS NOT NULL) AS uniques,
    array_agg(id) FILTER (WHERE unique_key IS NOT NULL) AS holders,
    array_agg(key ORDER BY ending) FILTER (WHERE key IS NOT NULL) AS keys,
    array_agg(queue ORDER BY ending) FILTER (WHERE key IS NOT NULL) AS queues,
    array_agg(meta ORDER BY ending) FILTER (WHERE meta LIKE '%"plan"%') AS metas,
    array_agg(id ORDER BY ending) FILTER (WHERE meta LIKE '%"plan"%') AS reporters,
    array_agg(result ORDER BY ending) FILTER (WHERE meta LIKE '%"plan"%') AS told,
    array_agg(attempt ORDER BY ending) FILTER (WHERE meta LIKE '%"plan"%') AS attempts,
    array_agg(started_at ORDER BY ending) FILTER (WHERE meta LIKE '%"plan"%') AS starts
  INTO gone FROM over;
  lost := ARRAY(
    SELECT place FROM unnest(numbers) WITH ORDINALITY AS list (seq, place)
    WHERE seq NOT IN (SELECT number FROM unnest(ended || gone.seqs) AS number));
  leases := gone.leases;
  IF leases IS NULL THEN RETURN; END IF;
  IF gone.keys IS NOT NULL THEN
    PERFORM {{schema}}.lock_keys(gone.queues, gone.keys);
    makes_ready := {{schema}}.admit(gone.queues, gone.keys) > 0;
  END IF;
  IF gone.metas IS NOT NULL THEN
    reports := {{schema}}.report_ends(gone.metas, gone.reporters, array_fill('completed'::text, ARRAY[cardinality(gone.metas)]),
      gone.told, array_fill(NULL::text, ARRAY[cardinality(gone.metas)]), gone.attempts, gone.starts, at);
  END IF;
  IF gone.trailed IS NOT NULL THEN DELETE FROM {{schema}}.job_trail WHERE seq = ANY (gone.trailed); END IF;
  IF gone.uniques IS NOT NULL THEN
    PERFORM {{schema}}.release_keys(gone.uniques, gone.holders, array_fill('completed'::text, ARRAY[cardinality(gone.uniques)]), at);
  END IF;
END $$;

-- Writes changes of jobs whose rows the transaction has locked: a JSON array of `Written` (settle.ts), in their order.
-- Tells the topics of the hints.
CREATE FUNCTION {{schema}}.write_changes(changes json, at bigint) RETURNS TABLE (topic text) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  before record;
  roomy boolean := false;
  admitted integer := 0;
  reports boolean := false;
BEGIN
  SELECT array_agg(job.lease) FILTER (WHERE job.lease IS NOT NULL) AS leases,
    array_agg(change.state) AS states,
    array_agg(job.seq) FILTER (WHERE change.ends AND (job.trailed OR change.error IS NOT NULL)) AS trailed,
    array_agg(job.unique_key ORDER BY change.place) FILTER (WHERE change.ends AND job.unique_key IS NOT NULL) AS uniques,
    array_agg(job.id ORDER BY change.place) FILTER (WHERE change.ends AND job.unique_key IS NOT NULL) AS holders,
    array_agg(change.state ORDER BY change.place) FILTER (WHERE change.ends AND job.unique_key IS NOT NULL) AS endings,
    array_agg(job.key ORDER BY change.place) FILTER (WHERE job.key IS NOT NULL AND job.turn <= 0 AND NOT change.stays) AS keys,
    array_agg(job.queue ORDER BY change.place) FILTER (WHERE job.key IS NOT NULL AND job.turn <= 0 AND NOT change.stays) AS queues,
    array_agg(job.meta ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS metas,
    array_agg(job.id ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS reporters,
    array_agg(change.state ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS ends,
    array_agg(change.result ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS results,
    array_agg(CASE WHEN change.state <> 'completed' THEN coalesce(change.error, {{schema}}.last_error(job.seq)) END
      ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS errors,
    array_agg(change.attempt ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS attempts,
    array_agg(job.started_at ORDER BY change.place) FILTER (WHERE change.ends AND job.meta LIKE '%"plan"%') AS starts
  INTO before
  FROM {{schema}}.read_changes(changes) AS change JOIN {{schema}}.job ON job.seq = change.seq;
  PERFORM {{schema}}.lock_keys(before.queues, before.keys);
  WITH added AS (
    INSERT INTO {{schema}}.job_trail (seq, kind, nth, entry)
    SELECT change.seq, 'error', {{schema}}.last_entry(change.seq, 'error') + 1, change.error
    FROM {{schema}}.read_changes(changes) AS change WHERE change.error IS NOT NULL
    RETURNING seq, nth
  )
  DELETE FROM {{schema}}.job_trail USING added
  WHERE added.nth > {{errorsKeptFirst}} + {{errorsKeptLast}}
    AND job_trail.seq = added.seq AND job_trail.kind = 'error' AND job_trail.nth = added.nth - {{errorsKeptLast}};
  UPDATE {{schema}}.job SET state = change.state::{{schema}}.job_state, attempt = change.attempt,
    crashes = change.crashes, due_at = coalesce(change.due_at, job.due_at), lease = NULL,
    trailed = job.trailed OR change.error IS NOT NULL,
    turn = CASE WHEN job.key IS NULL THEN 0 WHEN NOT change.stays THEN 2
      WHEN change.state = 'ready' AND job.ticket IS NOT NULL THEN -2 ELSE 0 END
  FROM {{schema}}.read_changes(changes) AS change WHERE job.seq = change.seq AND NOT change.ends;
  WITH ended AS (
    DELETE FROM {{schema}}.job USING {{schema}}.read_changes(changes) AS change
    WHERE job.seq = change.seq AND change.ends
    RETURNING job.seq, job.id, job.queue, job.task, job.priority, job.attempts_max,
      job.cancel_requested OR change.cancelled AS cancel_requested, job.created_at, job.due_at, job.started_at,
      job.ticket, job.unique_key, job.key, job.progress, job.input, job.meta, job.trailed OR change.error IS NOT NULL AS trailed,
      change.state::{{schema}}.job_state AS state, change.attempt, change.crashes, change.finished_at, change.result
  )
  INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
    cancel_requested, created_at, due_at, started_at, finished_at, ticket, unique_key, key, progress, input, meta, result, trail)
  SELECT seq, id, queue, task, state, priority, attempt, attempts_max, crashes, cancel_requested, created_at, due_at,
    started_at, finished_at, ticket, unique_key, key, progress, input, meta, result,
    CASE WHEN trailed THEN {{schema}}.trail_of(seq) END
  FROM ended WHERE NOT EXISTS (
    SELECT FROM {{schema}}.queue AS settings WHERE settings.name = ended.queue AND settings.drops
      AND {{schema}}.drops_state(settings.retention, ended.state::text));
  IF before.metas IS NOT NULL THEN
    reports := {{schema}}.report_ends(before.metas, before.reporters, before.ends, before.results, before.errors, before.attempts,
      before.starts, at);
  END IF;
  IF before.trailed IS NOT NULL THEN DELETE FROM {{schema}}.job_trail WHERE seq = ANY (before.trailed); END IF;
  IF before.uniques IS NOT NULL THEN
    PERFORM {{schema}}.release_keys(before.uniques, before.holders, before.endings, at);
  END IF;
  IF before.keys IS NOT NULL THEN admitted := {{schema}}.admit(before.queues, before.keys); END IF;
  IF before.leases IS NOT NULL THEN roomy := {{schema}}.leave_leases(before.leases); END IF;
  IF before.states && ARRAY['completed', 'failed', 'cancelled'] THEN topic := 'settled'; RETURN NEXT; END IF;
  IF reports THEN topic := 'plan'; RETURN NEXT; END IF;
  IF roomy OR admitted > 0 OR before.states && ARRAY['ready', 'scheduled'] THEN topic := 'ready'; RETURN NEXT; END IF;
END $$;

CREATE FUNCTION {{schema}}.read_changes(changes json)
RETURNS TABLE (
  place bigint, seq bigint, state text, ends boolean, stays boolean, attempt integer, crashes integer, due_at bigint,
  finished_at bigint, result text, error text, cancelled boolean)
LANGUAGE sql STABLE AS $$
  SELECT change.place, change.seq, change.state, change.state IN ('completed', 'failed', 'cancelled'), change.stays,
    change.attempt, change.crashes, ceil(change."dueAt")::bigint, ceil(change."finishedAt")::bigint, change.result,
    change.error, coalesce(change.cancelled, false)
  FROM ROWS FROM (json_to_recordset(changes) AS (
      seq bigint, state text, stays boolean, attempt integer, crashes integer, "dueAt" float8, "finishedAt" float8,
      result text, error text, cancelled boolean))
    WITH ORDINALITY AS change (seq, state, stays, attempt, crashes, "dueAt", "finishedAt", result, error, cancelled, place)
$$;

-- Progress and log lines of running jobs: a JSON array of `WrittenNote` (settle.ts). Tells the places (from 1) of those
-- that were lost.
CREATE FUNCTION {{schema}}.annotate_batch(notes json) RETURNS TABLE (place bigint) LANGUAGE plpgsql
SET enable_seqscan = off SET jit = off AS $$
#variable_conflict use_column
DECLARE
  note record;
  earlier integer;
BEGIN
  PERFORM {{schema}}.ground(array_agg((given->>'seq')::bigint), array_agg((given->>'lease')::bigint))
  FROM json_array_elements(notes) AS given;
  PERFORM FROM {{schema}}.job
  WHERE seq IN (SELECT (given->>'seq')::bigint FROM json_array_elements(notes) AS given) ORDER BY seq FOR UPDATE;
  FOR note IN
    SELECT (given->>'seq')::bigint AS seq, (given->>'lease')::bigint AS lease, (given->>'id')::uuid AS id,
      (given->>'clears')::boolean AS clears, given->>'progress' AS progress, given->'logs' AS logs, number
    FROM json_array_elements(notes) WITH ORDINALITY AS list (given, number) ORDER BY number
  LOOP
    UPDATE {{schema}}.job SET trailed = trailed OR json_array_length(note.logs) > 0,
      progress = CASE WHEN note.clears THEN NULL ELSE coalesce(note.progress, progress) END
    WHERE seq = note.seq AND lease = note.lease AND id = note.id AND state = 'running';
    IF FOUND THEN
      earlier := {{schema}}.last_entry(note.seq, 'log');
      INSERT INTO {{schema}}.job_trail (seq, kind, nth, entry)
      SELECT note.seq, 'log', earlier + number, line
      FROM json_array_elements_text(note.logs) WITH ORDINALITY AS log (line, number);
      IF earlier + json_array_length(note.logs) > {{logsKept}} THEN
        DELETE FROM {{schema}}.job_trail
        WHERE seq = note.seq AND kind = 'log' AND nth <= earlier + json_array_length(note.logs) - {{logsKept}};
      END IF;
    ELSE
      place := note.number;
      RETURN NEXT;
    END IF;
  END LOOP;
END $$;
