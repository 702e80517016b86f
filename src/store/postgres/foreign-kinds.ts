import { optionInvalid } from '../../core/errors.ts';

/**
 * From what libraries hand out as a transaction to one way of running a statement in it. Libraries are told apart by
 * shape and not by class, since several copies of a package may be installed and none is imported here; what is used
 * is each library's public way to run SQL of one's own. What is not a transaction, such as a pool, is refused: the job
 * would be committed by itself, which is just what the caller wanted to rule out.
 */
export interface ForeignConnection {
  /** Rows as objects. */
  query(statement: Statement, values: Values): Promise<unknown[]>;
}

/** The text of a statement, given how a value is written there, by its index. */
export type Statement = (slot: (index: number) => string) => string;

type Values = readonly (string | null)[];

/** Throws OPTION_INVALID for what is no transaction of a library that is known here. */
export function connectionIn(tx: unknown): ForeignConnection {
  const shape = isShape(tx) ? tx : {};
  const kind = KINDS.find(({ fits }) => fits(shape));
  if (kind === undefined) throw optionInvalid('tx', tx, EXPECTED);
  const instead = kind.instead(shape);
  if (instead !== null) throw optionInvalid('tx', tx, `${kind.expected}; this is ${instead}`);
  return { query: async (statement, values) => rowsOf(await kind.query(shape, statement, values), tx) };
}

type Method = (...given: readonly unknown[]) => unknown;
type Shape = Readonly<Record<string, unknown>>;

interface Kind {
  readonly fits: (tx: Shape) => boolean;
  /** What it is when it is no transaction. */
  readonly instead: (tx: Shape) => string | null;
  readonly expected: string;
  readonly query: (tx: Shape, statement: Statement, values: Values) => unknown;
}

/** The last one fits many; the others are asked first. */
const KINDS: readonly Kind[] = [
  {
    // postgres.js: a connection of `sql.reserve()` has `release`, a transaction `savepoint`, the pool neither.
    fits: (tx) => typeof tx === 'function' && has(tx, 'unsafe'),
    instead: (tx) => (has(tx, 'savepoint') || has(tx, 'release') ? null : 'the pool'),
    expected: 'the sql that postgres.js gives to the function of sql.begin()',
    query: (tx, statement, values) => call(tx, 'unsafe', numbered(statement), values),
  },
  {
    fits: (tx) => typeof tx === 'function' && has(tx, 'raw'),
    instead: (tx) => (tx.isTransaction === true ? null : 'the knex itself'),
    expected: 'the trx that Knex gives to the function of knex.transaction()',
    query: (tx, statement, values) => call(tx, 'raw', marked(statement), values),
  },
  {
    fits: (tx) => has(tx, 'executeQuery') && 'isTransaction' in tx,
    instead: (tx) => (tx.isTransaction === true ? null : 'the Kysely itself'),
    expected: 'the trx that Kysely gives to the function of db.transaction().execute()',
    query: (tx, statement, values) => call(tx, 'executeQuery', compiled(numbered(statement), values)),
  },
  {
    fits: (tx) => has(tx, '$queryRawUnsafe'),
    instead: (tx) => (has(tx, '$connect') ? 'the PrismaClient itself' : null),
    expected: 'the tx that Prisma gives to the function of prisma.$transaction()',
    query: (tx, statement, values) => call(tx, '$queryRawUnsafe', numbered(statement), ...values),
  },
  {
    fits: (tx) => has(tx, 'execute') && 'session' in tx && 'dialect' in tx,
    instead: (tx) => (has(tx, 'rollback') ? null : 'the database itself'),
    expected: 'the tx that Drizzle gives to the function of db.transaction()',
    query: (tx, statement, values) =>
      call(
        tx,
        'execute',
        statement((index) => literal(values[index] ?? null)),
      ),
  },
  {
    // pg's Client and PoolClient, and whatever else queries like them on one connection.
    fits: (tx) => has(tx, 'query'),
    instead: (tx) => {
      if (isSource(tx)) return 'a pool, which takes any connection for a query';
      return isUnconnected(tx) ? 'a client that is not connected: await its connect() first' : null;
    },
    expected:
      'a pg Client or PoolClient that has begun a transaction, or an object whose query(text, values) runs in one',
    query: (tx, statement, values) => call(tx, 'query', numbered(statement), values),
  },
];

const EXPECTED =
  'a transaction of pg (Client, PoolClient), postgres.js, Drizzle, Kysely, Prisma or Knex, or an object whose query(text, values) runs in one';

/** pg's Pool, and TypeORM's DataSource. */
function isSource(tx: Shape): boolean {
  return 'totalCount' in tx || (has(tx, 'createQueryRunner') && !has(tx, 'release'));
}

/** pg's Client keeps queries until somebody calls `connect`, so the enqueue would wait for ever. */
function isUnconnected(tx: Shape): boolean {
  return tx._connected === false && tx._connecting === false;
}

function isShape(tx: unknown): tx is Shape {
  return (typeof tx === 'object' && tx !== null) || typeof tx === 'function';
}

function has(tx: Shape, method: string): boolean {
  return typeof tx[method] === 'function';
}

function call(tx: Shape, method: string, ...given: readonly unknown[]): unknown {
  return Reflect.apply(tx[method] as Method, tx, given);
}

/** Most give `{ rows }`, some an array. */
function rowsOf(result: unknown, tx: unknown): unknown[] {
  const rows = Array.isArray(result) ? result : (result as { rows?: unknown } | null | undefined)?.rows;
  if (Array.isArray(rows)) return rows;
  throw optionInvalid('tx', tx, 'a query(text, values) that resolves to the rows, or to { rows }');
}

function numbered(statement: Statement): string {
  return statement((index) => `$${index + 1}`);
}

/** Knex writes `?` for a value and `\\?` for a question mark. Values must be in their order. */
function marked(statement: Statement): string {
  return statement(() => '\0')
    .replaceAll('?', '\\?')
    .replaceAll('\0', '?');
}

/** As `CompiledQuery.raw` of Kysely makes it: plain data. */
function compiled(sql: string, parameters: Values): object {
  const queryId = { queryId: `longshore-${Math.random().toString(36).slice(2)}` };
  return { sql, parameters, query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] }, queryId };
}

/**
 * Drizzle runs a text, or what its own `sql` made: no values without importing the caller's copy of it. A literal with
 * E reads the same whatever standard_conforming_strings says.
 */
function literal(value: string | null): string {
  return value === null ? 'NULL' : `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
