import { optionInvalid } from '../../core/errors.ts';

/**
 * Opens a transaction through the library that a pool or a client belongs to, so that the library goes on to know of it.
 * Told apart by shape as in foreign-kinds.ts.
 */
export async function runForeign(db: unknown, body: (tx: object) => Promise<void>): Promise<void> {
  const shape = (typeof db === 'object' && db !== null) || typeof db === 'function' ? (db as Shape) : {};
  const kind = KINDS.find(({ fits }) => fits(shape));
  if (kind === undefined) throw optionInvalid('db', db, EXPECTED);
  if (kind.isTransaction(shape))
    throw optionInvalid(
      'db',
      db,
      `${EXPECTED}; this is ${kind.instead}: use ctx.complete(result, { tx }) in it`,
    );
  await kind.run(shape, body);
}

type Shape = Readonly<Record<string, unknown>>;
type Body = (tx: object) => Promise<void>;

interface Kind {
  readonly fits: (db: Shape) => boolean;
  readonly isTransaction: (db: Shape) => boolean;
  readonly instead: string;
  readonly run: (db: Shape, body: Body) => unknown;
}

const EXPECTED =
  'a Pool of pg, the sql of postgres.js, the database of Drizzle, a Kysely, a PrismaClient, or the knex itself';

const KINDS: readonly Kind[] = [
  {
    fits: (db) => typeof db === 'function' && has(db, 'unsafe'),
    isTransaction: (db) => has(db, 'savepoint') || has(db, 'release'),
    instead: 'a connection of postgres.js',
    run: (db, body) => call(db, 'begin', body),
  },
  {
    fits: (db) => typeof db === 'function' && has(db, 'raw'),
    isTransaction: (db) => db.isTransaction === true,
    instead: 'a transaction of Knex',
    run: (db, body) => call(db, 'transaction', body),
  },
  {
    fits: (db) => has(db, 'executeQuery') && 'isTransaction' in db,
    isTransaction: (db) => db.isTransaction === true,
    instead: 'a transaction of Kysely',
    run: (db, body) => call(call(db, 'transaction') as Shape, 'execute', body),
  },
  {
    fits: (db) => has(db, '$queryRawUnsafe'),
    isTransaction: (db) => !has(db, '$connect'),
    instead: 'a transaction of Prisma',
    run: (db, body) => call(db, '$transaction', body),
  },
  {
    fits: (db) => has(db, 'execute') && 'session' in db && 'dialect' in db,
    isTransaction: (db) => has(db, 'rollback'),
    instead: 'a transaction of Drizzle',
    run: (db, body) => call(db, 'transaction', body),
  },
  {
    // A client alone is refused: nothing tells whether it has begun.
    fits: (db) => has(db, 'query') && has(db, 'connect'),
    isTransaction: (db) => !('totalCount' in db),
    instead: 'a client of pg, not a pool',
    run: (db, body) => runOnPool(db as unknown as PgPool, body),
  },
];

interface PgPool {
  connect(): Promise<PgClient>;
}

interface PgClient {
  query(text: string): Promise<{ readonly command?: string }>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  removeListener(event: 'error', listener: (error: unknown) => void): unknown;
  /** An error: the connection is not used again. */
  release(error?: unknown): void;
}

async function runOnPool(pool: PgPool, body: Body): Promise<void> {
  const client = await pool.connect();
  let failed: unknown = null;
  // The pool listens to idle clients alone: a connection that breaks here would end the process. Its statements are rejected anyway.
  const onBroken = (error: unknown): void => {
    failed ??= error ?? true;
  };
  client.on('error', onBroken);
  // What these statements throw leaves the connection in a state that nobody knows.
  const say = (text: string): Promise<{ readonly command?: string }> =>
    client.query(text).catch((error: unknown) => {
      failed = error ?? true;
      throw error;
    });
  try {
    await say('BEGIN');
    try {
      await body(client);
    } catch (error) {
      // The server rolls back by itself where it cannot be told.
      await say('ROLLBACK').catch(() => undefined);
      throw error;
    }
    const { command } = await say('COMMIT');
    // Where a statement failed and nobody said so, COMMIT rolls back and calls that a success.
    if (command === 'ROLLBACK')
      throw new Error('the transaction was rolled back, since a statement in it had failed before COMMIT');
  } finally {
    client.removeListener('error', onBroken);
    client.release(failed === null ? undefined : failed);
  }
}

function has(db: Shape, method: string): boolean {
  return typeof db[method] === 'function';
}

function call(db: Shape, method: string, ...given: readonly unknown[]): unknown {
  return Reflect.apply(db[method] as (...all: readonly unknown[]) => unknown, db, given);
}
