import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { isBusy } from './errors.ts';

/**
 * A database file that is open, with its prepared statements. Lives on the store thread, unless the caller opened it (foreign.ts).
 * A limit that is a bare parameter is planned for its value, and so the statement is prepared anew at every call, at six
 * times the cost of a claim of one job: statements say `LIMIT +?`.
 */
export class Connection {
  readonly file: string;
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, readOnly = false, database: DatabaseSync = openFile(file, readOnly)) {
    this.file = file;
    this.database = database;
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  /** The first row. Row is what the caller's SQL selects; the tables are STRICT. */
  get<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return readNumbers(this.#prepare(sql), (statement) => statement.get(...values)) as Row | undefined;
  }

  all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return readNumbers(this.#prepare(sql), (statement) => statement.all(...values)) as Row[];
  }

  /** Like `all` for the hot path: rows as arrays, which node:sqlite makes in two thirds of the time of objects. */
  tuples<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row[] {
    const statement = this.#prepare(sql);
    statement.setReturnArrays(true);
    return readNumbers(statement, () => statement.all(...values)) as unknown as Row[];
  }

  /** Its first row; for what always has one. */
  tuple<Row extends readonly unknown[]>(sql: string, ...values: SQLInputValue[]): Row {
    const statement = this.#prepare(sql);
    statement.setReturnArrays(true);
    return readNumbers(statement, () => statement.get(...values)) as unknown as Row;
  }

  /** Returns the number of rows changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#prepare(sql).run(...values).changes as number;
  }

  /** Like `run`, for an INSERT: the new row's number. */
  insert(sql: string, ...values: SQLInputValue[]): number {
    return this.#prepare(sql).run(...values).lastInsertRowid as number;
  }

  /** Undoes whatever transaction is open; SQLite itself has done so after some errors. */
  rollback(): void {
    if (this.database.isTransaction) this.database.exec('ROLLBACK');
  }

  close(): void {
    this.#statements.clear();
    this.database.close();
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      // The caller's connection may have other defaults.
      statement.setReadBigInts(false);
      statement.setReturnArrays(false);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/**
 * node:sqlite refuses a whole row for an integer beyond 2^53, which only damage leaves there; such a row must not keep the
 * others from being read. It is read again, and its number rounded.
 */
function readNumbers<Result>(statement: StatementSync, read: (statement: StatementSync) => Result): Result {
  try {
    return read(statement);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_OUT_OF_RANGE') throw error;
  }
  statement.setReadBigInts(true);
  try {
    return rounded(read(statement)) as Result;
  } finally {
    statement.setReadBigInts(false);
  }
}

function rounded(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(rounded);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, rounded(part)]));
}

function openFile(file: string, readOnly: boolean): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  return new DatabaseSync(file, {
    readOnly,
    timeout: 0,
    enableForeignKeyConstraints: false,
    enableDoubleQuotedStringLiterals: false,
  });
}

const WAIT_MS_MAX = 15_000;
const PAUSE_MS_MIN = 0.2;
const PAUSE_MS_MAX = 3;
const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Runs `work` again while another process holds the lock, for at most 15 s. SQLite's own busy handler sleeps up to
 * 100 ms between two tries; a commit takes one or two, so short pauses of random length get the lock much sooner.
 */
export function retryWhileBusy<T>(work: () => T, waitMsMax = WAIT_MS_MAX): T {
  let deadline = 0;
  for (let tries = 1; ; tries += 1) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      const now = performance.now();
      if (deadline === 0) deadline = now + waitMsMax;
      if (now > deadline) throw error;
      const longest = Math.min(PAUSE_MS_MAX, PAUSE_MS_MIN * 2 * tries);
      Atomics.wait(cell, 0, 0, PAUSE_MS_MIN + Math.random() * (longest - PAUSE_MS_MIN));
    }
  }
}

/** Loads node:sqlite without its notice that it is experimental; every other warning passes. */
function loadSqlite(): typeof import('node:sqlite') {
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature'))
      Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}
