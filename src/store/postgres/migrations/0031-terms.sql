-- What jobs are found by: correlation ids (`c:...`) and tags (`t:...`) of their meta, as core/terms.ts says. The indexes hold
-- jobs with either and no others: what most jobs pay is a look at a column that is null.

-- Other texts of the meta may have what JSON can write and a text of PostgreSQL cannot hold: halves of surrogate pairs and NUL.
CREATE FUNCTION {{schema}}.terms(meta text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
  SELECT array_agg(DISTINCT found.term) FROM (
    SELECT regexp_replace(meta, '\\u(0000|[dD][89a-fA-F][0-9a-fA-F]{2})', '\\ufffd', 'g')::json AS said) AS read
    CROSS JOIN LATERAL (
      SELECT 'c:' || (said->>'correlationId') AS term WHERE json_typeof(said->'correlationId') = 'string'
      UNION ALL
      SELECT 't:' || tag.value FROM json_array_elements_text(
        CASE json_typeof(said->'tags') WHEN 'array' THEN said->'tags' ELSE '[]' END) AS tag (value)
    ) AS found
$$;

CREATE INDEX job_terms ON {{schema}}.job USING gin ({{schema}}.terms(meta))
  WHERE meta LIKE '%"correlationId"%' OR meta LIKE '%"tags"%';
CREATE INDEX history_terms ON {{schema}}.history USING gin ({{schema}}.terms(meta))
  WHERE meta LIKE '%"correlationId"%' OR meta LIKE '%"tags"%';

-- Jobs that have all of these terms; and the job of the id `root`, which is the correlation id that is looked for, unless it
-- has another one: what it enqueued inherited its id.
CREATE FUNCTION {{schema}}.is_root(meta text, tag text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE WHEN meta LIKE '%"correlationId"%' OR meta LIKE '%"tags"%' THEN
    NOT EXISTS (SELECT FROM unnest({{schema}}.terms(meta)) AS own (term) WHERE own.term LIKE 'c:%')
      AND (tag IS NULL OR coalesce({{schema}}.terms(meta) @> ARRAY[tag], false))
    ELSE tag IS NULL END
$$;

CREATE FUNCTION {{schema}}.find_live(wanted text[], tag text, root uuid) RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $$
BEGIN
  RETURN QUERY SELECT job.seq FROM {{schema}}.job
    WHERE (meta LIKE '%"correlationId"%' OR meta LIKE '%"tags"%') AND {{schema}}.terms(meta) @> wanted;
  IF root IS NOT NULL THEN
    RETURN QUERY SELECT job.seq FROM {{schema}}.job WHERE id = root AND {{schema}}.is_root(meta, tag);
  END IF;
END $$;

CREATE FUNCTION {{schema}}.find_ended(wanted text[], tag text, root uuid) RETURNS SETOF {{schema}}.history
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan SET enable_seqscan = off SET jit = off AS $$
BEGIN
  RETURN QUERY SELECT * FROM {{schema}}.history
    WHERE (meta LIKE '%"correlationId"%' OR meta LIKE '%"tags"%') AND {{schema}}.terms(meta) @> wanted;
  IF root IS NOT NULL THEN
    RETURN QUERY SELECT * FROM {{schema}}.history WHERE id = root AND {{schema}}.is_root(meta, tag);
  END IF;
END $$;
