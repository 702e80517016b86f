import { fileURLToPath, pathToFileURL } from 'node:url';
import { show } from '../core/errors.ts';
import type { AnyTask } from '../core/task.ts';

/**
 * Whether a thread or process could get at the task by importing its module: `null`, or why not. What it cannot know
 * is whether the module exports the task; that shows when it is imported.
 */
export function importFault(task: AnyTask): string | null {
  let fault = FAULTS.get(task);
  if (fault === undefined) {
    fault = findFault(task);
    FAULTS.set(task, fault);
  }
  return fault;
}

/** Asked before every job, and the answer takes system calls: links have to be resolved. */
const FAULTS = new WeakMap<AnyTask, string | null>();

function findFault(task: AnyTask): string | null {
  if (task.module === null) return `nothing tells which module task ${show(task.name)} is in; ${MOVE}`;
  if (!isEntryPoint(task.module)) return null;
  return `task ${show(task.name)} is defined in the program's own start module, ${task.module}, and importing that would start the program again; ${MOVE}`;
}

const MOVE =
  'move it to a file of its own that exports it (for a bundler: an entry point of its own), or give defineTask the `module` that does (import.meta.url)';

/** What import() takes. */
export function moduleUrl(module: string): string {
  return /^(file|data):/.test(module) ? module : pathToFileURL(module).href;
}

function isEntryPoint(module: string): boolean {
  const entry = entryPoint();
  if (entry === null || module.startsWith('data:')) return false;
  const path = module.startsWith('file:') ? fileURLToPath(withoutQuery(module)) : module;
  return path === entry || withoutExtension(path) === entry || real(path) === entry;
}

/** Links resolved, as the engine names modules; null in a REPL and for evaluated text. */
function entryPoint(): string | null {
  const path = process.argv[1];
  return path === undefined ? null : real(path);
}

function real(path: string): string {
  try {
    // An import of node:fs takes 2.5 MB, of a worker that may never need this.
    return process.getBuiltinModule('node:fs').realpathSync(path);
  } catch {
    return path; // `node program` for program.js
  }
}

function withoutExtension(path: string): string {
  return path.replace(/\.[cm]?[jt]s$/, '');
}

function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/, '');
}
