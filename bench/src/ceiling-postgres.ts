import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { HandWrittenLoop, LoopCounts } from './ceiling.ts';
import type { ServerPlace } from './site.ts';

/** The loop by hand on PostgreSQL: one connection, two prepared statements, each a transaction and a round trip. */
export async function openPostgresLoop({ url, name }: ServerPlace): Promise<HandWrittenLoop> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'longshore bench loop',
    pipeline: true,
  });
  await client.connect();
  return new PostgresLoop(client, name);
}

class PostgresLoop implements HandWrittenLoop {
  readonly #client: pg.Client;
  readonly #schema: string;
  readonly #statements: Readonly<Record<'insert' | 'insertOne' | 'turn', string>>;
  readonly #idPrefix = randomUUID().slice(0, 24);
  #ids = 0;
  #leases = 0;

  constructor(client: pg.Client, schema: string) {
    this.#client = client;
    this.#schema = schema;
    const within = (text: string): string => text.replaceAll('{{schema}}', `"${schema}"`);
    this.#statements = { insert: within(INSERT), insertOne: within(INSERT_ONE), turn: within(TURN) };
  }

  async warmUp(inputs: readonly unknown[], batch: number): Promise<void> {
    await this.enqueue(inputs, batch);
    await this.process(batch, () => undefined);
    await this.#client.query(`DELETE FROM "${this.#schema}".history`);
  }

  async enqueue(inputs: readonly unknown[], batch: number): Promise<void> {
    for (let start = 0; start < inputs.length; start += batch) {
      const part = inputs.slice(start, start + batch);
      const ids = part.map(() => this.#newId());
      const texts = part.map((input) => JSON.stringify(input));
      await this.#run('insert', [ids, texts, Date.now()]);
    }
  }

  async process(batch: number, handler: (input: unknown) => unknown): Promise<number> {
    let completed = 0;
    let seqs: string[] = [];
    let results: (string | null)[] = [];
    for (;;) {
      const lease = ++this.#leases;
      const rows = await this.#run('turn', [seqs, results, lease - 1, lease, batch, Date.now()]);
      // The last row holds how many jobs were completed, and no job.
      completed += Number(rows.at(-1)?.completed);
      if (rows.length === 1) return completed;
      seqs = [];
      results = [];
      for (const { seq, input } of rows) {
        if (seq === null) continue;
        const result = handler(JSON.parse(input as string));
        seqs.push(seq);
        results.push(result === undefined ? null : JSON.stringify(result));
      }
    }
  }

  async commitOne(input: unknown, message?: string): Promise<void> {
    const values = [this.#newId(), JSON.stringify(input), Date.now()];
    if (message === undefined) await this.#run('insert', [[values[0]], [values[1]], values[2]]);
    else await this.#run('insertOne', [...values, this.#schema, message]);
  }

  async listen(onMessage: (message: string) => void): Promise<void> {
    this.#client.on('notification', ({ payload }) => onMessage(payload ?? ''));
    await this.#client.query(`LISTEN "${this.#schema}"`);
  }

  async count(): Promise<LoopCounts> {
    const counts = { ready: 0, running: 0, completed: 0 };
    const { rows } = await this.#client.query(COUNT.replaceAll('{{schema}}', `"${this.#schema}"`));
    for (const { state, jobs } of rows) counts[state as keyof LoopCounts] = jobs;
    return counts;
  }

  close(): Promise<void> {
    return this.#client.end();
  }

  async #run(name: 'insert' | 'insertOne' | 'turn', values: unknown[]): Promise<Turn[]> {
    return (await this.#client.query({ name, text: this.#statements[name], values })).rows;
  }

  /** In order, so that the index on ids grows at its end as Longshore's does. */
  #newId(): string {
    this.#ids += 1;
    return this.#idPrefix + this.#ids.toString(16).padStart(12, '0');
  }
}

interface Turn {
  readonly seq: string | null;
  readonly input: string | null;
  readonly completed: string | null;
}

const INSERT = `
  INSERT INTO {{schema}}.job (id, queue, task, state, priority, attempts_max, created_at, due_at, input)
  SELECT id, 'default', 'noop', 'ready', 0, 3, $3, $3, input
  FROM unnest($1::uuid[], $2::text[]) AS spec (id, input)`;

/** $4 is the channel. */
const INSERT_ONE = `
  WITH inserted AS (
    INSERT INTO {{schema}}.job (id, queue, task, state, priority, attempts_max, created_at, due_at, input)
    VALUES ($1::uuid, 'default', 'noop', 'ready', 0, 3, $3::bigint, $3::bigint, $2::text))
  SELECT pg_notify($4, $5)`;

/** Completes ($1 numbers, $2 results, $3 their lease) and claims ($4 the new lease, $5 how many); $6 is now. */
const TURN = `
  WITH done AS (
    DELETE FROM {{schema}}.job AS job USING unnest($1::bigint[], $2::text[]) AS outcome (seq, result)
    WHERE job.seq = outcome.seq AND job.lease = $3::bigint
    RETURNING job.*, outcome.result
  ), moved AS (
    INSERT INTO {{schema}}.history (seq, id, queue, task, state, priority, attempt, attempts_max, crashes,
      cancel_requested, created_at, due_at, started_at, finished_at, input, result)
    SELECT seq, id, queue, task, 'completed', priority, attempt, attempts_max, crashes, cancel_requested, created_at,
      due_at, started_at, $6::bigint, input, result
    FROM done
  ), line AS (
    SELECT seq FROM {{schema}}.job WHERE queue = 'default' AND state = 'ready' AND turn = 0
    ORDER BY priority, seq LIMIT $5 FOR UPDATE SKIP LOCKED
  ), claimed AS (
    UPDATE {{schema}}.job AS job SET state = 'running', lease = $4::bigint, attempt = attempt + 1, started_at = $6::bigint
    FROM line WHERE job.seq = line.seq RETURNING job.seq, job.input
  )
  SELECT seq, input, NULL::bigint AS completed FROM claimed
  UNION ALL SELECT NULL, NULL, count(*) FROM done`;

const COUNT = `
  SELECT state::text AS state, count(*)::integer AS jobs
  FROM (SELECT state FROM {{schema}}.job UNION ALL SELECT state FROM {{schema}}.history) AS every GROUP BY state`;
