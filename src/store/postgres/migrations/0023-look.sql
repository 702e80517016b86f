-- Pages of jobs, the newest first, by seq. The planner would guess how many jobs fit, and walk all of a long past for a
-- rare queue, or sort all jobs of a large one. Here that is counted: up to 5,000 that fit are fetched by the index of
-- their queue or state; more of them are met soon enough by going back. Both see what the statement that asks sees.

CREATE FUNCTION {{schema}}.list_ended(states text[], of_queue text, of_task text, before bigint, room bigint)
RETURNS SETOF {{schema}}.history LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET jit = off AS $$
DECLARE
  -- One by one, so that partitions of other states are left out.
  one {{schema}}.job_state := states[1];
  two {{schema}}.job_state := coalesce(states[2], states[1]);
  three {{schema}}.job_state := coalesce(states[3], states[1]);
  few boolean := false;
BEGIN
  IF of_queue IS NOT NULL THEN
    few := 5000 >= (SELECT count(*) FROM (
      SELECT FROM {{schema}}.history WHERE state IN (one, two, three) AND queue = of_queue LIMIT 5001) AS fitting);
  END IF;
  IF few THEN
    -- An expression, so that the order does not come from the index on seq.
    RETURN QUERY SELECT * FROM {{schema}}.history
      WHERE state IN (one, two, three) AND queue = of_queue AND seq < before AND (of_task IS NULL OR task = of_task)
      ORDER BY seq + 0 DESC LIMIT room;
  ELSE
    RETURN QUERY SELECT * FROM {{schema}}.history
      WHERE state IN (one, two, three) AND (of_queue IS NULL OR queue = of_queue) AND seq < before
        AND (of_task IS NULL OR task = of_task)
      ORDER BY seq DESC LIMIT room;
  END IF;
END $$;

CREATE FUNCTION {{schema}}.list_live(states text[], of_queue text, of_task text, before bigint, room bigint)
RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off
SET jit = off AS $$
DECLARE
  wanted {{schema}}.job_state[] := states;
  fitting bigint[];
BEGIN
  IF of_queue IS NOT NULL OR cardinality(states) < 3 THEN
    fitting := ARRAY(
      SELECT part.seq FROM (
        SELECT seq FROM {{schema}}.job
        WHERE 'ready' = ANY (wanted) AND state = 'ready' AND turn = 0 AND (of_queue IS NULL OR queue = of_queue)
        UNION ALL
        SELECT number.seq FROM {{schema}}.fresh CROSS JOIN LATERAL generate_series(next_seq, last_seq) AS number (seq)
        WHERE 'ready' = ANY (wanted) AND (of_queue IS NULL OR queue = of_queue)
        UNION ALL
        SELECT seq FROM {{schema}}.job
        WHERE 'ready' = ANY (wanted) AND state = 'ready' AND turn = -2 AND (of_queue IS NULL OR queue = of_queue)
        UNION ALL
        SELECT seq FROM {{schema}}.job
        WHERE 'ready' = ANY (wanted) AND state = 'ready' AND key IS NOT NULL AND turn = 1 AND turn < 2
          AND (of_queue IS NULL OR queue = of_queue)
        UNION ALL
        SELECT seq FROM {{schema}}.job
        WHERE 'scheduled' = ANY (wanted) AND state = 'scheduled' AND (of_queue IS NULL OR queue = of_queue)
        UNION ALL
        SELECT job.seq FROM {{schema}}.lease CROSS JOIN LATERAL {{schema}}.range_seqs(lease.firsts, lease.lasts) AS member (seq)
          JOIN {{schema}}.job ON job.seq = member.seq
            AND (job.lease = lease.token OR job.turn = 3 AND lease.fresh_at IS NOT NULL)
        WHERE 'running' = ANY (wanted) AND (of_queue IS NULL OR lease.queue = of_queue)
      ) AS part LIMIT 5001);
  END IF;
  IF cardinality(fitting) <= 5000 THEN
    RETURN QUERY SELECT job.seq FROM {{schema}}.job
      WHERE job.seq = ANY (fitting) AND job.seq < before AND (of_task IS NULL OR task = of_task)
      ORDER BY job.seq + 0 DESC LIMIT room;
  ELSE
    RETURN QUERY SELECT job.seq FROM {{schema}}.job
      WHERE CASE
          -- As is_waiting, which would cost each row 20 times as much.
          WHEN turn = 3 AND 'running' = ANY (wanted) <> ('ready' = ANY (wanted)) AND NOT EXISTS (
            SELECT FROM (
              SELECT next_seq, last_seq FROM {{schema}}.fresh
              WHERE fresh.queue = job.queue AND fresh.priority = job.priority AND fresh.first_seq <= job.seq
              ORDER BY fresh.queue DESC, fresh.priority DESC, fresh.first_seq DESC LIMIT 1) AS around
            WHERE job.seq BETWEEN around.next_seq AND around.last_seq)
          THEN 'running' = ANY (wanted)
          ELSE state = ANY (wanted) END
        AND (of_queue IS NULL OR queue = of_queue) AND job.seq < before AND (of_task IS NULL OR task = of_task)
      ORDER BY job.seq DESC LIMIT room;
  END IF;
END $$;
