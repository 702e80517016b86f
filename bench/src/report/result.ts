import { isRecord, itemsAt, numberAt, textAt } from './fields.ts';

/**
 * A result of the kit as reports and comparisons read it: its heading is checked, its figures are looked up by name, since
 * results of older versions are read as well. Nothing here needs Node: the page of the dashboard reads results, too.
 */
export interface Result {
  /** The file's name. */
  readonly name: string;
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly tookMs: number | null;
  readonly settings: Fields;
  readonly machine: Fields;
  /** That took part. */
  readonly servers: readonly Fields[];
  /** Systems under workloads, with the values of each round; empty in results of `longshore-bench/1`, which hold figures by command. */
  readonly cells: readonly Fields[];
  /** The whole document. */
  readonly document: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

/** Schemas of results that this version reads. */
export const SCHEMAS: readonly string[] = ['longshore-bench/1', 'longshore-bench/2'];

/** The text is none of a result; the message names the file, what is wrong, and what to do. */
export class NotAResult extends Error {
  override readonly name = 'NotAResult';
}

/** `where` names the file in messages; default: its name. Throws NotAResult. */
export function resultOf(name: string, text: string, where = name): Result {
  if (text.trim() === '') throw new NotAResult(`${where} is empty; ${EXPECTED}`);
  return resultOfDocument(name, parsed(where, text), where);
}

/** Throws NotAResult. */
export function resultOfDocument(name: string, document: unknown, where = name): Result {
  if (!isRecord(document) || typeof document['schema'] !== 'string')
    throw new NotAResult(`${where} has no "schema"; ${EXPECTED}`);
  const { schema, settings, machine, server } = document;
  const isKit = schema === 'longshore-bench/2';
  if (!SCHEMAS.includes(schema as string))
    throw new NotAResult(
      `${where} has the schema ${JSON.stringify(schema)}, and this version reads ${SCHEMAS.join(', ')}; read it with the version that wrote it, or measure again`,
    );
  const [command, startedAt] = [textAt(document, 'command'), textAt(document, 'startedAt')];
  if (command === null || startedAt === null || Number.isNaN(Date.parse(startedAt)))
    throw new NotAResult(
      `${where} lacks ${command === null ? 'its command' : 'the time of its start'}; ${EXPECTED}`,
    );
  return {
    name,
    command,
    startedAt,
    tookMs: numberAt(document, 'tookMs'),
    settings: isRecord(settings) ? settings : {},
    machine: isRecord(machine) ? machine : {},
    servers: isRecord(server) ? [server] : itemsAt(document, 'servers'),
    cells: isKit ? itemsAt(document, 'cells') : [],
    document,
  };
}

const EXPECTED = 'expected a result of the bench, which a measurement writes with --output FILE';

function parsed(name: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new NotAResult(`${name} is no JSON (${reason}); ${EXPECTED}`);
  }
}
