-- How far back, in milliseconds, some transaction of this role began that has not ended yet. What such a transaction
-- claims cannot be seen yet, so a beat that is to say which jobs a worker holds says it as of then. To be asked in a
-- statement before the one that looks at the jobs, which then sees whatever was committed by now.
CREATE FUNCTION {{schema}}.unseen_ms() RETURNS bigint LANGUAGE sql VOLATILE AS $$
  SELECT greatest(0, ceil(extract(epoch FROM clock_timestamp() - min(xact_start)) * 1000))::bigint
  FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user AND xact_start IS NOT NULL
$$;

-- A worker's sign of life: WorkerBeat in store.ts as JSON. Renews every lease of the worker and tells what it holds.
-- Whoever holds a row for long, such as a process that hangs in the midst of a transaction, must not keep the other
-- leases from being renewed; nobody reaps a row that is held.
CREATE FUNCTION {{schema}}.beat(beat json, seen bigint)
RETURNS TABLE (unseen_ms bigint, held json, cancelled json, paused json) LANGUAGE plpgsql SET lock_timeout = '500ms' AS $$
DECLARE
  worker json := beat->'worker';
  this text := worker->>'id';
  lease_ms bigint := ceil((beat->>'leaseMs')::numeric);
BEGIN
  unseen_ms := {{schema}}.unseen_ms();
  BEGIN
    INSERT INTO {{schema}}.worker AS known
      (id, host, pid, version, tasks, queues, started_at, seen_at, lease_ms, slots, slots_used, profiles)
    VALUES (this, worker->>'host', (worker->>'pid')::int, worker->>'version',
      ARRAY(SELECT json_array_elements_text(worker->'tasks')), ARRAY(SELECT json_array_elements_text(worker->'queues')),
      ceil((worker->>'startedAt')::numeric), seen, lease_ms, (beat->'load'->>'slots')::int,
      (beat->'load'->>'slotsUsed')::int, beat->'load'->'profiles')
    ON CONFLICT (id) DO UPDATE SET tasks = excluded.tasks, queues = excluded.queues, seen_at = excluded.seen_at,
      lease_ms = excluded.lease_ms, slots = excluded.slots, slots_used = excluded.slots_used,
      profiles = excluded.profiles;
  EXCEPTION WHEN lock_not_available THEN
    NULL; -- Somebody beats for it at this moment.
  END;
  BEGIN
    UPDATE {{schema}}.lease SET expires_at = seen + lease_ms
    WHERE token IN (SELECT token FROM {{schema}}.lease WHERE worker_id = this ORDER BY token FOR UPDATE);
  EXCEPTION WHEN lock_not_available THEN
    UPDATE {{schema}}.lease SET expires_at = seen + lease_ms
    WHERE token IN (SELECT token FROM {{schema}}.lease WHERE worker_id = this ORDER BY token FOR UPDATE SKIP LOCKED);
  END;
  SELECT coalesce(json_agg(job.id ORDER BY job.seq), '[]'),
    coalesce(json_agg(job.id ORDER BY job.seq) FILTER (WHERE job.cancel_requested), '[]')
  INTO held, cancelled
  FROM {{schema}}.lease CROSS JOIN LATERAL {{schema}}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
    JOIN {{schema}}.job ON job.seq = member.seq
      AND (job.lease = lease.token OR job.turn = 3 AND lease.fresh_at IS NOT NULL)
  WHERE lease.worker_id = this;
  SELECT coalesce(json_agg(mine.name ORDER BY mine.place), '[]') INTO paused
  FROM json_array_elements_text(worker->'queues') WITH ORDINALITY AS mine (name, place)
  WHERE EXISTS (SELECT FROM {{schema}}.queue WHERE queue.name IN (mine.name, '*') AND queue.paused_at IS NOT NULL);
  RETURN NEXT;
END $$;
