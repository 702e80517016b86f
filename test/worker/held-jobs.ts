import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type AnyTask, defineTask, type Longshore, type Worker } from '../../src/index.ts';
import { eventually, Gate } from '../stage.ts';

/** Inputs at which a handler of `held` waits. */
export const SLOW = 'slow';

/**
 * A worker with one slot in which a slow job runs, while jobs behind it wait in the worker for that slot. By its measures
 * jobs take no time, so that it fetches ahead what there is, however busy the machine is. Give the connection a clock of
 * the test's own: it says for how long they wait.
 */
export async function heldBehindSlow(
  t: TestContext,
  longshore: Longshore,
  { behind, queueOf = () => 'default' }: HeldOptions,
): Promise<Held> {
  t.mock.method(performance, 'now', () => 0);
  const gate = new Gate();
  const ran: string[] = [];
  const task = defineTask({
    name: 'held',
    run: ({ input }) => {
      ran.push(input as string);
      return input === SLOW ? gate.wait() : undefined;
    },
  });
  const ids = new Map<string, string>();
  const add = async (inputs: readonly string[]): Promise<void> => {
    const options = (input: unknown) => ({ queue: queueOf(input as string) });
    const handles = await longshore.enqueueMany(task, inputs, options);
    for (const [at, { id }] of handles.entries()) ids.set(inputs[at] as string, id);
  };
  // The quick one teaches the worker to fetch ahead.
  await add(['quick', SLOW]);
  const queues = [...new Set(['default', ...behind.map(queueOf)])];
  const worker = longshore.worker({ tasks: [task], queues, concurrency: 1, leaseMs: 3_600_000 });
  let claimed = 0;
  longshore.on('worker.claimed', ({ workerId, jobs }) => {
    if (workerId === worker.id) claimed += jobs;
  });
  await worker.start();
  await gate.reached;
  await add(behind);
  // In the store they run before the worker has the answer.
  await eventually(() => claimed === ids.size);
  const states = async (): Promise<Record<string, string>> => {
    const { jobs } = await longshore.jobs.list({ limit: 1_000 });
    const found = new Map(jobs.map(({ id, state }) => [id, state]));
    return Object.fromEntries([...ids].map(([input, id]) => [input, found.get(id) ?? 'gone']));
  };
  const id = (input: string): string => ids.get(input) ?? assert.fail(input);
  return { gate, ran, task, worker, add, id, states };
}

export interface HeldOptions {
  /** Inputs of the jobs behind the slow one, each once. */
  readonly behind: readonly string[];
  readonly queueOf?: (input: string) => string;
}

export interface Held {
  /** Of the slow job. */
  readonly gate: Gate;
  /** Inputs of the jobs that started, in order. */
  readonly ran: readonly string[];
  readonly task: AnyTask;
  readonly worker: Worker;
  /** Enqueues more of them. */
  readonly add: (inputs: readonly string[]) => Promise<void>;
  readonly id: (input: string) => string;
  /** By input. */
  readonly states: () => Promise<Record<string, string>>;
}
