-- Plans (store/plans.ts): runs of flows and the like. Times are whole milliseconds since the epoch.
CREATE TABLE plan (
  -- AUTOINCREMENT: the order of listings, never given twice.
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  label TEXT NOT NULL,
  state TEXT NOT NULL,
  version INTEGER NOT NULL,
  value TEXT NOT NULL,
  wake_at INTEGER,
  expires_at INTEGER,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX plan_listed ON plan (kind, label, seq);
CREATE INDEX plan_state ON plan (kind, state, seq);
CREATE INDEX plan_wake ON plan (wake_at) WHERE wake_at IS NOT NULL;
CREATE INDEX plan_expires ON plan (expires_at) WHERE expires_at IS NOT NULL;

-- Texts that a plan keeps beside its value.
CREATE TABLE plan_text (
  plan TEXT NOT NULL,
  name TEXT NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (plan, name)
) STRICT, WITHOUT ROWID;

-- What ended or was told, until a planner took it in. Only ever added and deleted.
CREATE TABLE report (
  -- AUTOINCREMENT: a number is never given twice.
  no INTEGER PRIMARY KEY AUTOINCREMENT,
  plan TEXT NOT NULL,
  -- What of the plan it is about.
  part TEXT NOT NULL,
  job TEXT,
  state TEXT NOT NULL,
  result TEXT,
  -- JSON, as AttemptError.
  error TEXT,
  attempt INTEGER NOT NULL,
  started_at INTEGER,
  at INTEGER NOT NULL
) STRICT;

CREATE INDEX report_plan ON report (plan, no);
CREATE INDEX report_at ON report (at);
