import { type AnyTask, hasHandler, isTask } from '../core/task.ts';

/**
 * The tasks a module exports: by any name, or inside an array or, as the default, an object (how CommonJS exports look).
 * Declarations without a handler are left out.
 */
export function exportedTasks(module: Readonly<Record<string, unknown>>): Set<AnyTask> {
  const all = module.default;
  const inside = typeof all === 'object' && all !== null && !isTask(all) ? Object.values(all) : [];
  const lists = [...Object.values(module), ...inside].filter((value) => Array.isArray(value));
  const exported = [...Object.values(module), ...inside, ...lists.flat()];
  return new Set(exported.filter(isTask).filter(hasHandler));
}
