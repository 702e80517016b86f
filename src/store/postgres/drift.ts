import { LongshoreError } from '../../core/errors.ts';
import { channelOf } from './hints.ts';
import { migrations } from './migrate.ts';
import type { Session } from './session.ts';
import { type Place, quoted } from './url.ts';

/**
 * What of a schema differs from what the migrations make: tables, columns, indexes, types and functions that are
 * missing or were changed. The migrations are run in a schema of another name, in a transaction that is rolled back.
 * What users add besides is theirs. Null where the role may not make a schema, as is usual for one that only runs jobs.
 */
export async function driftOf(session: Session, place: Place): Promise<string[] | null> {
  const [role] = await session.query<{ creates: boolean }>(
    `SELECT has_database_privilege(current_database(), 'CREATE') AS creates`,
  );
  if (role?.creates !== true) return null;
  const found = new Map(await rolledBack(session, () => partsOf(session, place.schema)));
  const expected = await rolledBack(session, async () => {
    const [own] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const schema = `longshore_doctor_${own?.pid}`;
    await session.query(`CREATE SCHEMA ${quoted(schema)}`);
    for (const { sql } of migrations()) await session.query(sql(schema));
    return partsOf(session, schema);
  });
  return expected.flatMap(([part, definition]) => {
    if (!found.has(part)) return [`${part} is missing`];
    return found.get(part) === definition ? [] : [`${part} was changed`];
  });
}

/** Migrations whose text is not the one that was applied. */
export async function changedMigrations(session: Session, { schema }: Place): Promise<string[]> {
  const applied = await session.query<{ version: number; digest: string }>(
    `SELECT version, digest FROM ${quoted(schema)}.migration`,
  );
  const digests = new Map(applied.map(({ version, digest }) => [version, digest]));
  return migrations()
    .filter(({ version, digest }) => digests.has(version) && digests.get(version) !== digest)
    .map(({ version, name }) => `${String(version).padStart(4, '0')}-${name}`);
}

async function rolledBack<Result>(session: Session, body: () => Promise<Result>): Promise<Result> {
  const undo = new LongshoreError('STORE_FAILED', 'rolled back on purpose');
  let result: Result | undefined;
  await session
    .transaction(async () => {
      result = await body();
      throw undo;
    })
    .catch((error: unknown) => {
      if (error !== undo) throw error;
    });
  return result as Result;
}

/** Partitions of days come and go. */
const LASTING = `relname !~ '^history_(completed|failed|cancelled)_[0-9]{8}'`;

/** With the schema as the search path nothing is shown with its schema's name, so that two schemas compare. */
const PARTS = `
  SELECT 'table ' || relname AS part, string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod),
      CASE WHEN attnotnull THEN 'not null' END, pg_get_expr(adbin, adrelid)), ', ' ORDER BY attname) AS definition
  FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') AND ${LASTING} GROUP BY relname
  UNION ALL
  SELECT 'index ' || relname, pg_get_indexdef(indexrelid, 0, true) || CASE WHEN indisvalid THEN '' ELSE ' invalid' END
  FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
  WHERE relnamespace = $1::regnamespace AND ${LASTING}
  UNION ALL
  SELECT 'function ' || proname || '(' || pg_get_function_identity_arguments(oid) || ')',
    concat_ws(' ', pg_get_function_arguments(oid), pg_get_function_result(oid), provolatile, array_to_string(proconfig, '; '), prosrc)
  FROM pg_proc WHERE pronamespace = $1::regnamespace AND prokind = 'f'
  UNION ALL
  SELECT 'type ' || typname, string_agg(enumlabel, ', ' ORDER BY enumsortorder)
  FROM pg_type JOIN pg_enum ON enumtypid = pg_type.oid WHERE typnamespace = $1::regnamespace GROUP BY typname`;

async function partsOf(session: Session, schema: string): Promise<[part: string, definition: string][]> {
  await session.query(`SET LOCAL search_path = ${quoted(schema)}`);
  const rows = await session.query<{ part: string; definition: string }>(PARTS, [quoted(schema)]);
  return rows.map(({ part, definition }) => [part, withoutNames(definition, schema)]);
}

/** A name in a search path is quoted only where it must be. */
function withoutNames(text: string, schema: string): string {
  return text
    .replaceAll(`search_path=${schema},`, () => `search_path=${quoted(schema)},`)
    .replaceAll(quoted(schema), '<schema>')
    .replaceAll(channelOf(schema), '<channel>');
}
