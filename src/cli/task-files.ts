import { readdirSync, statSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { LongshoreError, show } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';
import { exportedTasks } from '../execution/exported-tasks.ts';
import type { AnyFlow } from '../flow/flow.ts';
import { loadFault, shortPath } from './load-fault.ts';
import { counted } from './text.ts';
import { unexportedNote } from './unexported.ts';

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

/** Flows are found where tasks are: in what the task files export from defineFlow(). */
export interface FoundFlow {
  readonly flow: AnyFlow;
  readonly file: string;
}

/**
 * `tell` gets what a person may have forgotten. Throws TASKS_UNLOADABLE for missing paths, files that do not load, and no task at
 * all; TASK_DUPLICATE.
 */
export async function loadTasks(
  paths: readonly string[],
  tell: (note: string) => void = () => undefined,
): Promise<FoundTask[]> {
  const modules = await loadModules(paths);
  const found = tasksIn(modules);
  const note = unexportedNote(flowsIn(modules), new Set(found.map(({ task }) => task.name)));
  if (note !== null && found.length > 0) tell(note);
  if (found.length === 0)
    throw nothing('task', 'defineTask() returns: export const thumbnail = defineTask({ … })', paths, modules);
  return found;
}

function tasksIn(modules: readonly LoadedModule[]): FoundTask[] {
  return distinct(
    modules.flatMap(({ exports, file, url }) =>
      [...exportedTasks(exports)].map((task): FoundTask => ({ task, file, url })),
    ),
  );
}

/** What there is of both. Throws as loadTasks and loadFlows do, except for files without any. */
export async function loadTasksAndFlows(
  paths: readonly string[],
): Promise<{ readonly tasks: AnyTask[]; readonly flows: AnyFlow[] }> {
  const modules = await loadModules(paths);
  return {
    tasks: tasksIn(modules).map(({ task }) => task),
    flows: flowsIn(modules).map(({ flow }) => flow),
  };
}

/** Throws TASKS_UNLOADABLE as loadTasks does; FLOW_INVALID for two different flows of one name. */
export async function loadFlows(paths: readonly string[]): Promise<FoundFlow[]> {
  const modules = await loadModules(paths);
  const found = flowsIn(modules);
  if (found.length === 0)
    throw nothing('flow', 'defineFlow() returns: export const order = defineFlow({ … })', paths, modules);
  return found;
}

function flowsIn(modules: readonly LoadedModule[]): FoundFlow[] {
  const byName = new Map<string, FoundFlow>();
  for (const { exports, file } of modules)
    for (const flow of exportedFlows(exports)) {
      const other = byName.get(flow.name);
      if (other === undefined) byName.set(flow.name, { flow, file });
      else if (other.flow.version !== flow.version) throw duplicateFlow(other, file);
    }
  return [...byName.values()];
}

interface LoadedModule {
  readonly exports: Record<string, unknown>;
  readonly file: string;
  readonly url: string;
}

async function loadModules(paths: readonly string[]): Promise<LoadedModule[]> {
  const files = [...new Set(paths.flatMap((path) => taskFiles(path)))];
  const modules: LoadedModule[] = [];
  const faults: string[] = [];
  for (const file of files) {
    try {
      const url = pathToFileURL(resolve(file)).href;
      const exports = (await import(url)) as Record<string, unknown>;
      modules.push({ exports, file: shortPath(file), url });
    } catch (error) {
      faults.push(await loadFault(file, error));
    }
  }
  if (faults.length > 0) throw unloadable(faults, files.length);
  return modules;
}

/** By any name, or inside a list or an object that is the default. */
function exportedFlows(exports: Readonly<Record<string, unknown>>): AnyFlow[] {
  const all = exports.default;
  const inside = typeof all === 'object' && all !== null && !isFlow(all) ? Object.values(all) : [];
  return [...Object.values(exports), ...inside]
    .flatMap((value): unknown[] => (Array.isArray(value) ? value : [value]))
    .filter(isFlow);
}

function isFlow(value: unknown): value is AnyFlow {
  return typeof value === 'object' && value !== null && 'data' in value && 'signals' in value;
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

function duplicateFlow(one: FoundFlow, file: string): LongshoreError {
  const { name } = one.flow;
  const where = one.file === file ? `both in ${file}` : `in ${one.file} and in ${file}`;
  return new LongshoreError(
    'FLOW_INVALID',
    `Two different flows are named ${show(name)}, ${where}; give one of them another name.`,
    { details: { flow: name, files: [one.file, file] } },
  );
}

function nothing(
  noun: string,
  hint: string,
  paths: readonly string[],
  { length }: readonly LoadedModule[],
): LongshoreError {
  const where = `${paths.map(shortPath).join(', ')} (${counted(length, 'module')})`;
  return new LongshoreError('TASKS_UNLOADABLE', `No ${noun} is exported in ${where}. Export what ${hint}.`, {
    details: { paths, files: length },
  });
}
