import { readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LongshoreError, show } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { exportedTasks } from '../execution/exported-tasks.ts';
import { loadFault, shortPath } from './load-fault.ts';

/** Finds tasks in files: every module below a folder is imported, and what it exports from defineTask() is collected. */
export interface FoundTask {
  readonly task: AnyTask;
  /** Relative to the current folder where that is shorter. */
  readonly file: string;
  /** What import() takes. */
  readonly url: string;
}

const EXTENSIONS: ReadonlySet<string> = new Set(['.ts', '.mts', '.js', '.mjs']);
const NOT_TASKS = /\.(test|spec)\.[a-z]+$|\.d\.m?ts$/;

/** Throws TASKS_UNLOADABLE for missing paths, files that do not load, and no task at all; TASK_DUPLICATE. */
export async function loadTasks(paths: readonly string[]): Promise<FoundTask[]> {
  const files = [...new Set(paths.flatMap((path) => taskFiles(path)))];
  const found: FoundTask[] = [];
  const faults: string[] = [];
  for (const file of files) {
    try {
      const url = pathToFileURL(resolve(file)).href;
      const module = (await import(url)) as Record<string, unknown>;
      for (const task of exportedTasks(module)) found.push({ task, file: shortPath(file), url });
    } catch (error) {
      faults.push(await loadFault(file, error));
    }
  }
  if (faults.length > 0) throw unloadable(faults, files.length);
  if (found.length === 0) throw noTasks(paths, files.length);
  return distinct(found);
}

function taskFiles(path: string): string[] {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new LongshoreError(
      'TASKS_UNLOADABLE',
      `There is no file or folder ${show(path)}; --tasks takes the path of either.`,
      {
        details: { path },
      },
    );
  }
  if (status.isDirectory()) return filesBelow(path);
  if (EXTENSIONS.has(extname(path))) return [path];
  throw new LongshoreError(
    'TASKS_UNLOADABLE',
    `${path} is no module; task files end in ${[...EXTENSIONS].join(', ')}.`,
    {
      details: { path },
    },
  );
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
    if (entry.isDirectory()) return filesBelow(path);
    if (!EXTENSIONS.has(extname(entry.name)) || NOT_TASKS.test(entry.name)) return [];
    return entry.isFile() || statSync(path, { throwIfNoEntry: false })?.isFile() ? [path] : [];
  });
}

/** A task may be exported by several files; two tasks may not have one name. */
function distinct(found: readonly FoundTask[]): FoundTask[] {
  const byName = new Map<string, FoundTask>();
  for (const one of found) {
    const other = byName.get(one.task.name);
    if (other === undefined) byName.set(one.task.name, one);
    else if (other.task !== one.task) throw duplicate(other, one);
  }
  return [...byName.values()];
}

function duplicate(one: FoundTask, other: FoundTask): LongshoreError {
  const where = one.file === other.file ? `both in ${one.file}` : `in ${one.file} and in ${other.file}`;
  return new LongshoreError(
    'TASK_DUPLICATE',
    `Two different tasks are named ${show(one.task.name)}, ${where}; give one of them another name.`,
    { details: { task: one.task.name, files: [one.file, other.file] } },
  );
}

function unloadable(faults: readonly string[], files: number): LongshoreError {
  const [first] = faults;
  const message =
    faults.length === 1
      ? `${first}.`
      : `${faults.length} of ${files} task files do not load.\n${faults.join('\n')}`;
  return new LongshoreError('TASKS_UNLOADABLE', message, { details: { faults } });
}

function noTasks(paths: readonly string[], files: number): LongshoreError {
  const where = `${paths.map(shortPath).join(', ')} (${files === 1 ? '1 module' : `${files} modules`})`;
  return new LongshoreError(
    'TASKS_UNLOADABLE',
    `No task is exported in ${where}. Export what defineTask() returns: export const thumbnail = defineTask({ … }).`,
    { details: { paths, files } },
  );
}
