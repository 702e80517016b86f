/**
 * Loaded into a program under test (`--import`): writes down what its jobs do, and lets a signal hit the process at an
 * exact event. It listens to the process-wide diagnostics channels, so the program needs no hook for it.
 *
 * WITNESS_FILE: JSON lines { event, id, task } are appended there before the event's publisher goes on.
 * WITNESS_SIGNAL: `SIGKILL job.completed 100` sends that signal to this process at the 100th such event;
 * `SIGKILL store.enqueue 6` at the 6th call of that verb.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  const { WITNESS_FILE: file, WITNESS_SIGNAL: order = '' } = process.env;
  const [signal, wanted, at] = order.split(' ');
  const seen = new Map<string, number>();
  const see = (event: string, facts: object): void => {
    if (file !== undefined) appendFileSync(file, `${JSON.stringify({ event, ...facts })}\n`);
    seen.set(event, (seen.get(event) ?? 0) + 1);
    if (event === wanted && seen.get(event) === Number(at)) process.kill(process.pid, signal);
  };
  for (const event of ['job.started', 'job.completed', 'job.failed']) {
    subscribe(`longshore:${event}`, (message) => {
      const { id, task } = message as { id: string; task: string };
      see(event, { id, task });
    });
  }
  subscribe('longshore:store.called', (message) => {
    const { verb } = message as { verb: string };
    if (verb === 'enqueue') see('store.enqueue', {});
  });
}
