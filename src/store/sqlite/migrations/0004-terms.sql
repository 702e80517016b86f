-- What jobs are found by: correlation ids (`c:...`) and tags (`t:...`) of their meta (core/terms.ts). Jobs without either
-- are not in here. The order is that of a search: the newest job of a term stands last.
CREATE TABLE job_term (
  term TEXT NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (term, seq)
) STRICT, WITHOUT ROWID;

INSERT INTO job_term (term, seq)
SELECT 'c:' || json_extract(meta, '$.correlationId'), seq FROM job
WHERE meta IS NOT NULL AND json_valid(meta) AND json_type(meta, '$.correlationId') = 'text'
UNION
SELECT 't:' || tag.value, seq FROM job, json_each(CASE WHEN json_valid(meta) THEN meta ELSE '{}' END, '$.tags') AS tag
WHERE meta IS NOT NULL AND tag.type = 'text';
