import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LongshoreError } from '../core/errors.ts';

/**
 * Results of benchmarks in one folder, which the program that serves the API names. A name is one of the folder's own regular
 * files: it has no slash, so no path leaves the folder, and a link is no file. What is read is bounded.
 */
export interface ReportSummary {
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
  /** Null where the file says none. */
  readonly command: string | null;
  readonly startedAt: string | null;
  readonly store: string | null;
  readonly machine: string | null;
  /** Why it cannot be opened; null: it can. */
  readonly problem: string | null;
}

/** As a schema of the API, too: no slash, no backslash, no leading dot. */
export const REPORT_NAME = '^(?!\\.)[\\w .,@+()-]{1,200}\\.json$';
export const REPORTS_MAX = 500;
export const REPORT_BYTES_MAX = 16 * 2 ** 20;

const NAME = new RegExp(REPORT_NAME);

export class ReportFiles {
  readonly #folder: string;
  /** By name, as of that size and time: a folder of results is looked at often and changes seldom. */
  readonly #known = new Map<string, ReportSummary>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The newest first, at most REPORTS_MAX. Throws REPORTS_UNREADABLE. */
  async list(): Promise<{ readonly reports: readonly ReportSummary[]; readonly more: number }> {
    const names = (await this.#names()).filter((name) => NAME.test(name));
    const found = (await Promise.all(names.map((name) => this.#stat(name)))).flatMap((one) => one ?? []);
    found.sort((one, other) => other.modifiedAt - one.modifiedAt || (one.name < other.name ? 1 : -1));
    const shown = found.slice(0, REPORTS_MAX);
    const reports: ReportSummary[] = [];
    // One after the other: no more than one file is in memory at a time.
    for (const one of shown) reports.push(await this.#summary(one));
    for (const name of this.#known.keys())
      if (!shown.some((one) => one.name === name)) this.#known.delete(name);
    return { reports, more: found.length - shown.length };
  }

  /** The document as it was recorded. Throws REPORT_UNKNOWN, REPORT_INVALID. */
  async read(name: string): Promise<unknown> {
    const found = NAME.test(name) ? await this.#stat(name) : null;
    if (found === null)
      throw new LongshoreError(
        'REPORT_UNKNOWN',
        `There is no report ${JSON.stringify(name.slice(0, 200))}.`,
        {
          details: { name },
        },
      );
    const { document, problem } = await this.#document(found);
    if (problem !== null)
      throw new LongshoreError('REPORT_INVALID', `${name} ${problem}.`, { details: { name } });
    return document;
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await readdir(this.#folder);
    } catch (cause) {
      throw new LongshoreError(
        'REPORTS_UNREADABLE',
        'The folder of reports cannot be read; the program that serves the API names it (--reports).',
        { cause },
      );
    }
  }

  /** Null for what is no regular file, or is gone. */
  async #stat(name: string): Promise<FileFacts | null> {
    const stats: Stats | null = await lstat(join(this.#folder, name)).catch(() => null);
    return stats?.isFile() ? { name, bytes: stats.size, modifiedAt: stats.mtimeMs } : null;
  }

  async #summary(file: FileFacts): Promise<ReportSummary> {
    const known = this.#known.get(file.name);
    if (known?.bytes === file.bytes && known.modifiedAt === file.modifiedAt) return known;
    const { document, problem } = await this.#document(file);
    const summary: ReportSummary = {
      ...file,
      command: textIn(document, 'command'),
      startedAt: textIn(document, 'startedAt'),
      store: textIn(fieldOf(document, 'settings'), 'store'),
      machine: textIn(fieldOf(document, 'machine'), 'cpu'),
      problem,
    };
    this.#known.set(file.name, summary);
    return summary;
  }

  async #document({
    name,
    bytes,
  }: FileFacts): Promise<{ readonly document: unknown; readonly problem: string | null }> {
    const bad = (problem: string) => ({ document: null, problem });
    if (bytes > REPORT_BYTES_MAX) return bad(`has more than ${REPORT_BYTES_MAX / 2 ** 20} MB`);
    const text = await readRegular(join(this.#folder, name)).catch(() => null);
    if (text === null) return bad('cannot be read');
    if (text.trim() === '') return bad('is empty');
    try {
      const document: unknown = JSON.parse(text);
      const schema = textIn(document, 'schema');
      if (schema === null || !/^longshore-bench\/\d+$/.test(schema)) return bad('is no result of the bench');
      return { document, problem: null };
    } catch {
      return bad('is no JSON');
    }
  }
}

/** A link that takes the file's place meanwhile is not followed, and no more is read than was looked for. */
async function readRegular(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const { size } = await file.stat();
    if (size > REPORT_BYTES_MAX) throw new LongshoreError('REPORT_INVALID', 'The file grew meanwhile.');
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

interface FileFacts {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

const TEXT_MAX = 200;

function textIn(value: unknown, name: string): string | null {
  const text = fieldOf(value, name);
  return typeof text === 'string' ? text.slice(0, TEXT_MAX) : null;
}
