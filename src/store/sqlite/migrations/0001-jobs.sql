-- Times are whole milliseconds since the epoch; durations are milliseconds; payloads are encoded text.

-- Every job, live or finished (docs/adr/0002-sqlite-history-in-place.md). The indexes below are partial, so that
-- each holds the rows of its state only and a running job stands in none of them but the primary key and the id.
CREATE TABLE job (
  -- Place in the line. AUTOINCREMENT: never given twice, also when the last job was deleted.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL,
  queue TEXT NOT NULL,
  task TEXT NOT NULL,
  -- One of core/job-state.ts. No CHECK lists them: SQLite builds the list anew for every write, 1.3 of 3.4 µs.
  state TEXT NOT NULL,
  priority INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  attempts_max INTEGER NOT NULL,
  crashes INTEGER NOT NULL DEFAULT 0,
  cancel_requested INTEGER NOT NULL DEFAULT 0,
  -- The lease's token while the job runs, null otherwise: the fence of settle.
  lease INTEGER,
  created_at INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  started_at INTEGER,
  -- Set in terminal states only.
  finished_at INTEGER,
  unique_key TEXT,
  progress TEXT,
  -- Null also when it is too large for the row and lies in job_input.
  input TEXT,
  result TEXT,
  CHECK ((state = 'running') = (lease IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX job_id ON job (id);
CREATE INDEX job_ready ON job (queue, priority, seq) WHERE state = 'ready';
CREATE INDEX job_scheduled ON job (queue, due_at) WHERE state = 'scheduled';
CREATE INDEX job_finished ON job (state, queue, finished_at) WHERE finished_at IS NOT NULL;

-- Large inputs: a claim or a settlement writes the whole row of the job, but not these.
CREATE TABLE job_input (
  seq INTEGER PRIMARY KEY,
  input TEXT NOT NULL
) STRICT;

-- One row per claimed batch that still has running jobs. Renewing a worker's leases writes these rows, not its jobs.
CREATE TABLE lease (
  -- AUTOINCREMENT: a fencing token never repeats.
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  worker_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  -- Jobs of the batch that still carry this token; the row goes when it reaches 0.
  live INTEGER NOT NULL,
  -- All jobs of the batch: a JSON array of job.seq. Those that were settled no longer carry the token.
  seqs TEXT NOT NULL
) STRICT;

-- Holders of unique keys (core/unique.ts).
CREATE TABLE unique_key (
  key TEXT PRIMARY KEY,
  -- The holder, which may be deleted before the key's period ends.
  id TEXT NOT NULL,
  -- Held at least until then.
  until INTEGER NOT NULL,
  -- The holder's last state once it ended; null while it lives.
  ended TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX unique_key_ended ON unique_key (until) WHERE ended IS NOT NULL;

-- The trail of a job; deleted with it.
CREATE TABLE job_error (
  no INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  message TEXT NOT NULL,
  stack TEXT,
  code TEXT
) STRICT;

CREATE INDEX job_error_seq ON job_error (seq);

CREATE TABLE job_log (
  no INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  message TEXT NOT NULL,
  data TEXT
) STRICT;

CREATE INDEX job_log_seq ON job_log (seq);

CREATE TABLE audit (
  no INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  by TEXT NOT NULL,
  why TEXT,
  from_state TEXT NOT NULL,
  to_state TEXT
) STRICT;

CREATE INDEX audit_seq ON audit (seq);

-- Queues that were configured; any other has the defaults.
CREATE TABLE queue (
  name TEXT PRIMARY KEY,
  paused_at INTEGER,
  -- JSON, see Retention in store.ts.
  retention TEXT NOT NULL,
  -- 1 when some terminal state is not kept at all: settle deletes such jobs at once.
  drops INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX queue_drops ON queue (name) WHERE drops = 1;

CREATE TABLE worker (
  id TEXT PRIMARY KEY,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  version TEXT NOT NULL,
  -- JSON arrays of names.
  tasks TEXT NOT NULL,
  queues TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  lease_ms INTEGER NOT NULL,
  slots INTEGER NOT NULL,
  slots_used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Leadership, see store/lease-lock.ts.
CREATE TABLE lock (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
