import type { TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createRunner, type Runner, type RunnerOptions, type Work } from '../../src/engine/runner.ts';
import type { AnyTask } from '../../src/index.ts';
import type { EventName, Events } from '../../src/telemetry/events.ts';

/** A runner that the test stops. */
export function startedRunner(
  t: TestContext,
  options: Partial<RunnerOptions> & Pick<RunnerOptions, 'tasks'>,
): Runner {
  const runner = createRunner({ engine: 'trial', logger: false, graceMs: 0, abortGraceMs: 100, ...options });
  t.after(() => runner.stop());
  return runner;
}

let numbers = 0;

export function workOf(task: AnyTask | string, input: unknown, more: Partial<Work> = {}): Work {
  numbers += 1;
  const name = typeof task === 'string' ? task : task.name;
  return { task: name, id: `work-${numbers}`, queue: 'trials', input, attempt: 1, ...more };
}

/** All events of these names, in the order they were emitted. */
export function recordOf<Name extends EventName>(
  runner: Runner,
  ...names: Name[]
): { name: Name; event: Events[Name] }[] {
  const seen: { name: Name; event: Events[Name] }[] = [];
  for (const name of names) runner.on(name, (event) => seen.push({ name, event }));
  return seen;
}

/** For what no event tells. */
export async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await nextTurn();
}
