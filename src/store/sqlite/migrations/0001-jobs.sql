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
  -- Jobs of one queue and key take turns (turns.ts).
  key TEXT,
  -- 0 in the line of its key, and always without a key; -2 the same, ready, with a ticket; -1 in the line, put off by
  -- its key's rate; 1 ready but held; 2 scheduled or ended.
  turn INTEGER NOT NULL DEFAULT 0,
  -- The number a held job was given when it was let in: its place in the line, instead of seq.
  ticket INTEGER,
  progress TEXT,
  -- JSON that goes along and is not read here (core/meta.ts); null for most jobs.
  meta TEXT,
  -- Null also when it is too large for the row and lies in job_input.
  input TEXT,
  result TEXT,
  CHECK ((state = 'running') = (lease IS NOT NULL))
) STRICT;

CREATE UNIQUE INDEX job_id ON job (id);
CREATE INDEX job_ready ON job (queue, priority, seq) WHERE state = 'ready' AND turn = 0;
-- One index for both, on coalesce(ticket, seq), would not cover a claim, which then is 4 to 10 % slower.
CREATE INDEX job_ticket ON job (queue, priority, ticket) WHERE turn = -2;
CREATE INDEX job_scheduled ON job (queue, due_at, key) WHERE state = 'scheduled';
CREATE INDEX job_finished ON job (state, queue, finished_at) WHERE finished_at IS NOT NULL;

-- Who is in the line of a key, and who waits to be let in. No column of it changes when a job without a key is
-- claimed or settled, so such jobs do not pay for it.
CREATE INDEX job_key ON job (queue, key, turn, priority) WHERE key IS NOT NULL AND turn < 2;

-- Large inputs: a claim or a settlement writes the whole row of the job, but not these.
CREATE TABLE job_input (
  seq INTEGER PRIMARY KEY,
  input TEXT NOT NULL
) STRICT;

-- One row per claimed batch of a queue that still has running jobs. Renewing a worker's leases writes these rows, not its jobs.
CREATE TABLE lease (
  -- AUTOINCREMENT: a fencing token never repeats.
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  worker_id TEXT NOT NULL,
  -- Of all its jobs: `live` summed over a queue is how many of it run.
  queue TEXT NOT NULL,
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

-- The trail of a job; deleted with it. `nth` counts a job's errors and its log lines from 1, those left out included.
CREATE TABLE job_error (
  no INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  nth INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  at INTEGER NOT NULL,
  name TEXT NOT NULL,
  message TEXT NOT NULL,
  stack TEXT,
  code TEXT
) STRICT;

CREATE UNIQUE INDEX job_error_nth ON job_error (seq, nth);

CREATE TABLE job_log (
  no INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  nth INTEGER NOT NULL,
  at INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  message TEXT NOT NULL,
  data TEXT
) STRICT;

CREATE UNIQUE INDEX job_log_nth ON job_log (seq, nth);

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
  -- JSON, see QueueLimits in core/limits.ts; null where nothing is limited.
  limits TEXT,
  -- 1 when there is a limit to how many jobs run: who stops running makes room for others.
  limited INTEGER NOT NULL,
  -- JSON, see AgeingState in ageing.ts; null where nothing ages.
  ageing TEXT,
  -- 1 when some terminal state is not kept at all: settle deletes such jobs at once.
  drops INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX queue_drops ON queue (name) WHERE drops = 1;
CREATE INDEX queue_limited ON queue (name) WHERE limited = 1;

-- Starts within the window of a rate: of a queue (key '') or of one of its keys (rates.ts).
CREATE TABLE start (
  queue TEXT NOT NULL,
  key TEXT NOT NULL,
  at INTEGER NOT NULL,
  starts INTEGER NOT NULL,
  PRIMARY KEY (queue, key, at)
) STRICT, WITHOUT ROWID;

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
  slots_used INTEGER NOT NULL,
  -- JSON array, as in store.ts.
  profiles TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Leadership, see store/lease-lock.ts.
CREATE TABLE lock (
  name TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
