import { existsSync } from 'node:fs';
import { connect, type Longshore } from '../connect.ts';
import { LongshoreError } from '../core/errors.ts';
import { fileOf } from '../store/sqlite/url.ts';
import type { GlobalOptions } from './command.ts';
import { type Config, loadConfig } from './config-file.ts';
import { UsageError } from './exit-codes.ts';
import { shortPath } from './load-fault.ts';

/** Which store and which tasks a command is about: flags first, then the config file, then the environment. */

export interface Session {
  readonly longshore: Longshore;
  readonly config: Config;
  readonly url: string;
}

/** Opens the store for as long as `body` runs. `create`: whether a database file that is missing is made. */
export async function withStore<Result>(
  options: GlobalOptions,
  body: (session: Session) => Promise<Result>,
  { create = false }: { readonly create?: boolean } = {},
): Promise<Result> {
  const config = await loadConfig(options.config);
  const url = storeUrl(options, config);
  if (!create) requireFile(url);
  const longshore = await connect(url, { ...config.connect, workerSettings: config.worker, logger: false });
  try {
    return await body({ longshore, config, url });
  } finally {
    await longshore.close();
  }
}

/** Throws USAGE when nothing says where the jobs live. */
export function storeUrl(options: GlobalOptions, config: Config): string {
  const url = givenStore(options, config);
  if (url !== null) return url;
  throw new UsageError(
    'No store is given. Use --store sqlite:jobs.db, set LONGSHORE_STORE=sqlite:jobs.db, or set "store" in longshore.config.json.',
  );
}

/** Null when nothing says so. */
export function givenStore(options: GlobalOptions, config: Config): string | null {
  return (options.store ?? config.store ?? process.env.LONGSHORE_STORE) || null;
}

/** Where the task files are; null when nothing says so. */
export function taskPaths(given: readonly string[] | undefined, config: Config): readonly string[] | null {
  const variable = process.env.LONGSHORE_TASKS;
  return given ?? config.tasks ?? (variable === undefined || variable === '' ? null : [variable]);
}

/** A database file that nothing has made yet. */
export function isMissing(url: string): boolean {
  return url.startsWith('sqlite:') && !existsSync(fileOf(url));
}

/** Looking at a store must not make one: a misspelt path would show an empty queue. */
function requireFile(url: string): void {
  if (!isMissing(url)) return;
  const file = fileOf(url);
  throw new LongshoreError(
    'STORE_UNAVAILABLE',
    `There is no database file ${shortPath(file)}. Check --store; longshore enqueue, start, work and migrate make the file.`,
    { details: { url, file } },
  );
}
