-- How a claim takes jobs (0005-claim.sql): the first of both lines, their leases, and what is told of them.

-- Takes the first jobs of both lines of a queue, at most `room`: those of `fresh`, as ranges in the order of the line, and
-- those that were changed. Where it takes only some of what it has locked, others pass over the rest until the commit.
-- Nothing of `fresh` stood before the entry of `from_priority` and `from_seq` a moment ago, nor at all where those are null: what
-- is dead there is not passed over again.
CREATE FUNCTION {{schema}}.take_first(of_queue text, room integer, from_priority integer, from_seq bigint,
  OUT firsts bigint[], OUT lasts bigint[], OUT priorities integer[], OUT jobs integer, OUT changed bigint[])
LANGUAGE plpgsql AS $$
DECLARE
  line CURSOR FOR
    SELECT entry.ctid AS place, entry.priority, entry.next_seq, entry.last_seq FROM {{schema}}.fresh AS entry
    WHERE entry.queue = of_queue AND (entry.priority, entry.first_seq) >= (from_priority, from_seq)
    ORDER BY entry.priority, entry.first_seq FOR UPDATE SKIP LOCKED;
  others record;
  other integer := 1;
  last integer := 0;
  part bigint;
  wholes tid[] := '{}';
  to_cut integer := 0;
  cut integer := 0;
  deleted integer := 0;
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
      wholes := wholes || entry.place;
    ELSE
      UPDATE {{schema}}.fresh SET next_seq = next_seq + part WHERE ctid = entry.place;
      GET DIAGNOSTICS cut = ROW_COUNT;
      to_cut := 1;
    END IF;
    EXIT WHEN room = 0;
  END LOOP;
  other := least(other + room, cardinality(others.seqs) + 1);
  changed := others.seqs[1:other - 1];
  IF cardinality(wholes) > 0 THEN
    DELETE FROM {{schema}}.fresh WHERE ctid = ANY (wholes);
    GET DIAGNOSTICS deleted = ROW_COUNT;
  END IF;
  -- Rows that are locked stay where they are. An entry that stayed in the line would be claimed twice.
  IF cut + deleted < cardinality(wholes) + to_cut THEN
    RAISE EXCEPTION 'entries of fresh are not where they were locked' USING ERRCODE = 'serialization_failure';
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

-- What claim_jobs tells of jobs but for their texts.
CREATE FUNCTION {{schema}}.claim_head(lease bigint, mixed boolean, jobs integer, is_json boolean, seqs text, ids text,
  priorities text, attempts text, attempts_max text, crashes text, created_at text, due_at text)
RETURNS text LANGUAGE sql STABLE AS $$
  SELECT concat(lease, ';', mixed, ';', jobs, ';', is_json, ';', seqs, ';', ids, ';', priorities, ';', attempts, ';',
    attempts_max, ';', crashes, ';', created_at, ';', due_at)
$$;

-- Leases ranges of fresh jobs, in the order of their line, and tells of them as claim_jobs does: fewer than 256 in a
-- row, to bound its size.
CREATE FUNCTION {{schema}}.start_fresh(of_queue text, firsts bigint[], lasts bigint[], of_priorities integer[], worker text,
  claim uuid, lease_ms bigint, at bigint, of_jobs integer, of_both boolean)
RETURNS TABLE (head text, queue text, tasks text, keys text, inputs text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  token bigint := nextval($seq${{schema}}.lease_token_seq$seq$);
  jobs integer;
  seqs text;
  ids text;
  priorities text;
  attempts_max text;
  created_at text;
  due_at text;
  is_json boolean;
  own record;
  part record;
  seen record;
  differ boolean;
  single boolean;
  list record;
BEGIN
  queue := of_queue;
  -- Those of one priority come in ascending order, and as few as possible.
  IF of_priorities[1] = of_priorities[cardinality(of_priorities)] THEN SELECT firsts, lasts INTO own;
  ELSE SELECT * INTO own FROM {{schema}}.joined(firsts, lasts);
  END IF;
  INSERT INTO {{schema}}.lease (token, worker_id, queue, claim_id, expires_at, live, firsts, lasts, fresh_at)
  VALUES (token, worker, of_queue, claim, at + lease_ms, of_jobs, own.firsts, own.lasts, at);
  is_json := false;
  -- What is gathered of many takes some 50 us also of one.
  IF of_jobs = 1 THEN
    priorities := of_priorities[1]::text;
    SELECT 1, seq::text, id::text, attempts_max::text, created_at::text, due_at::text, task, input
    INTO jobs, seqs, ids, attempts_max, created_at, due_at, tasks, inputs
    FROM {{schema}}.job WHERE seq = firsts[1];
    IF FOUND THEN
      head := {{schema}}.claim_head(
        token, of_both, 1, false, seqs, ids, priorities, '1', attempts_max, '0', created_at, due_at);
      RETURN NEXT;
    END IF;
    RETURN;
  END IF;
  -- Of ranges of one number each, whatever is done for a range is done for a job: those are cut without sums.
  single := cardinality(firsts) = of_jobs;
  FOR part IN
    SELECT firsts[start.place : start.place + 127] AS firsts, lasts[start.place : start.place + 127] AS lasts,
      of_priorities[start.place : start.place + 127] AS priorities, least(128, of_jobs - start.place + 1) AS jobs,
      of_priorities[start.place] = of_priorities[least(start.place + 127, of_jobs)] AS even
    FROM generate_series(1, of_jobs, 128) AS start (place) WHERE single
    UNION ALL (
    SELECT array_agg(piece.first ORDER BY piece.place) AS firsts, array_agg(piece.last ORDER BY piece.place) AS lasts,
      array_agg(piece.priority ORDER BY piece.place) AS priorities, sum(piece.last - piece.first + 1)::integer AS jobs,
      min(piece.priority) = max(piece.priority) AS even
    FROM (
      SELECT given.*, (sum(given.last - given.first + 1) OVER (ORDER BY given.place) - 1)::integer / 128 AS number FROM (
        SELECT start.seq AS first, least(start.seq + 127, run.last) AS last, run.priority,
          row_number() OVER () AS place
        FROM unnest(firsts, lasts, of_priorities) AS run (first, last, priority)
          CROSS JOIN LATERAL generate_series(run.first, run.last, 128) AS start (seq)
        WHERE NOT single) AS given) AS piece
    GROUP BY piece.number ORDER BY piece.number)
  LOOP
    seqs := part.firsts[1]::text;
    priorities := part.priorities[1]::text;
    is_json := false;
    SELECT count(*)::integer AS jobs, string_agg(id::text, ',') AS ids, string_agg(coalesce(input, E'\x1e'), E'\x1f') AS inputs,
      count(input) = 0 AS empty, coalesce(bool_or(input = E'\x1e'), false) AS odd, min(task COLLATE "C") AS task,
      min(attempts_max) AS attempts_max, min(created_at) AS created_at, min(due_at) AS due_at,
      min(task COLLATE "C") = max(task COLLATE "C") AND min(attempts_max) = max(attempts_max)
        AND min(created_at) = max(created_at) AND min(due_at) = max(due_at) AS alike
    INTO seen FROM unnest(part.firsts, part.lasts) AS run (first, last) CROSS JOIN LATERAL (
      SELECT id, input, task, attempts_max, created_at, due_at FROM {{schema}}.job
      WHERE seq BETWEEN run.first AND run.last ORDER BY seq OFFSET 0) AS job;
    CONTINUE WHEN seen.jobs = 0;
    jobs := seen.jobs;
    ids := seen.ids;
    attempts_max := seen.attempts_max::text;
    created_at := seen.created_at::text;
    due_at := seen.due_at::text;
    tasks := seen.task;
    inputs := CASE WHEN jobs > 1 OR NOT seen.empty THEN seen.inputs END;
    IF cardinality(part.firsts) > 1 THEN
      seqs := array_to_string(ARRAY(SELECT seq FROM {{schema}}.range_seqs(part.firsts, part.lasts) AS number (seq)), ',');
    END IF;
    differ := NOT (seen.alike AND part.even) OR jobs < part.jobs;
    IF differ THEN
      SELECT string_agg(seq::text, ',') AS seqs, string_agg(priority::text, ',') AS priorities,
        string_agg(attempts_max::text, ',') AS attempts_max, string_agg(created_at::text, ',') AS created_at,
        string_agg(due_at::text, ',') AS due_at, string_agg(task, E'\x1f') AS tasks
      INTO list FROM unnest(part.firsts, part.lasts) AS run (first, last) CROSS JOIN LATERAL (
        SELECT seq, priority, task, attempts_max, created_at, due_at FROM {{schema}}.job
        WHERE seq BETWEEN run.first AND run.last ORDER BY seq OFFSET 0) AS job;
      seqs := list.seqs;
      priorities := list.priorities;
      attempts_max := list.attempts_max;
      created_at := list.created_at;
      due_at := list.due_at;
      tasks := list.tasks;
    END IF;
    IF jobs > 1 AND (seen.odd OR {{schema}}.dividers(inputs) <> jobs - 1
      OR {{schema}}.dividers(tasks) <> CASE WHEN differ THEN jobs - 1 ELSE 0 END)
    THEN
      is_json := true;
      SELECT json_agg(input)::text, json_agg(task)::text INTO inputs, tasks
      FROM unnest(part.firsts, part.lasts) AS run (first, last) CROSS JOIN LATERAL (
        SELECT input, task FROM {{schema}}.job WHERE seq BETWEEN run.first AND run.last ORDER BY seq OFFSET 0) AS job;
    END IF;
    head := {{schema}}.claim_head(
      token, of_both, jobs, is_json, seqs, ids, priorities, '1', attempts_max, '0', created_at, due_at);
    RETURN NEXT;
  END LOOP;
END $$;

CREATE FUNCTION {{schema}}.dividers(list text) RETURNS integer LANGUAGE sql IMMUTABLE AS
  $$ SELECT octet_length(list) - octet_length(replace(list, E'\x1f', '')) $$;

-- Leases jobs that were changed since they were added, or have meta, in this order, and tells of them as claim_jobs does,
-- each in a row. Meta stands behind what the head has otherwise.
CREATE FUNCTION {{schema}}.start_changed(of_queue text, own bigint[], worker text, claim uuid, lease_ms bigint, at bigint,
  of_both boolean)
RETURNS TABLE (head text, queue text, tasks text, keys text, inputs text)
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
    SELECT {{schema}}.claim_head(token, of_both, 1, false, seq::text, id::text, priority::text, attempt::text,
        attempts_max::text, crashes::text, created_at::text, due_at::text) || coalesce(';' || meta, ''),
      queue, task, key, input
    FROM taken ORDER BY place;
END $$;
