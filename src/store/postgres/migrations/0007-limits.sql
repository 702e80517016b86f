-- Other limits for a queue (turns.ts).

-- Lets the line of every key be as long as the new limits say: the youngest go back, or more are let in. What a rate
-- put off is let go. The queue's row has the new limits already.
CREATE FUNCTION {{schema}}.rearrange(of_queue text, line_max bigint, ordered boolean, at bigint) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET jit = off AS $$
DECLARE
  keys text[];
BEGIN
  PERFORM FROM {{schema}}.job WHERE queue = of_queue AND key IS NOT NULL AND turn < 2 ORDER BY seq FOR UPDATE;
  -- All stripes: a job of a new key that is on its way goes by the old limits until its commit, and must be seen here.
  PERFORM pg_advisory_xact_lock(hashtext('{{channel}} ' || of_queue), number) FROM generate_series(0, 63) AS number;
  keys := ARRAY(SELECT DISTINCT key FROM {{schema}}.job WHERE queue = of_queue AND key IS NOT NULL ORDER BY 1);
  UPDATE {{schema}}.job SET state = 'ready', turn = CASE WHEN ticket IS NULL THEN 0 ELSE -2 END, due_at = at
  WHERE queue = of_queue AND key IS NOT NULL AND turn = -1 AND turn < 2;
  IF NOT ordered THEN
    UPDATE {{schema}}.job SET turn = 2
    WHERE queue = of_queue AND key IS NOT NULL AND turn <= 0 AND turn < 2 AND state = 'scheduled';
  END IF;
  UPDATE {{schema}}.job SET turn = 1 WHERE seq IN (
    SELECT line.seq FROM (
      SELECT seq, state, row_number() OVER (PARTITION BY key
        ORDER BY (state = 'ready') DESC, priority DESC, seq DESC) AS from_end, count(*) OVER (PARTITION BY key) AS length
      FROM {{schema}}.job WHERE queue = of_queue AND key IS NOT NULL AND turn <= 0 AND turn < 2) AS line
    WHERE line.state = 'ready' AND line.from_end <= line.length - line_max);
  PERFORM {{schema}}.admit(array_fill(of_queue, ARRAY[cardinality(keys)]), keys, true);
END $$;
