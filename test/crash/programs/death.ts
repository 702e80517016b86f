import type { Work } from '../../../src/store/sqlite/transact.ts';

/** Hooks of the store thread that kill the process at a named point: DIE_AT is `<before|after>:<verb>:<times>`. */
const [when, verb, times] = (process.env.DIE_AT ?? '').split(':');
let left = Number(times);

export function beforeCommit(group: readonly Work[]): void {
  if (when === 'before') count(group);
}

export function afterCommit(group: readonly Work[]): void {
  if (when === 'after') count(group);
}

function count(group: readonly Work[]): void {
  if (!group.some((work) => work.verb === verb)) return;
  left -= 1;
  if (left > 0) return;
  process.kill(process.pid, 'SIGKILL');
  // The signal comes at once, but not before this thread could have gone on.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}
