/** Handlers that end their thread or process, or would not end at all. */
import { defineTask } from '../../../src/index.ts';

const once = { attempts: 1 } as const;
const never = new Promise<never>(() => undefined);

export const fine = defineTask({ ...once, name: 'fine', run: ({ input }) => input });

export const waits = defineTask({
  ...once,
  name: 'waits',
  run: async ({ log }) => {
    log('started');
    await never;
  },
});

export const slow = defineTask({
  ...once,
  name: 'slow',
  run: async ({ input, log }) => {
    log('started');
    const until = Date.now() + (input as number);
    while (Date.now() < until) await new Promise((resolve) => setImmediate(resolve));
    return 'done';
  },
});

export const throws = defineTask({
  ...once,
  name: 'throws',
  run: () => {
    throw new Error('thrown');
  },
});

export const exits = defineTask({ ...once, name: 'exits', run: () => process.exit(7) });

export const throwsLater = defineTask({
  ...once,
  name: 'throws-later',
  run: async () => {
    setImmediate(() => {
      throw new TypeError('too late');
    });
    await never;
  },
});

export const rejectsLater = defineTask({
  ...once,
  name: 'rejects-later',
  run: async () => {
    void Promise.reject(new RangeError('stray'));
    await never;
  },
});

/** Ends well, but what it leaves behind throws while another job runs in its host. */
export const leavesBomb = defineTask({
  ...once,
  name: 'leaves-bomb',
  run: ({ input }) => {
    setTimeout(() => {
      throw new Error('left behind');
    }, input as number);
    return 'left';
  },
});

export const aborts = defineTask({ ...once, name: 'aborts', run: () => process.abort() });

export const killsItself = defineTask({
  ...once,
  name: 'kills-itself',
  run: () => {
    process.kill(process.pid, 'SIGSEGV');
    return never;
  },
});

export const fillsMemory = defineTask({
  ...once,
  name: 'fills-memory',
  run: () => {
    const held: unknown[] = [];
    for (;;) held.push({ at: held.length, text: `s${held.length}` });
  },
});

export const loops = defineTask({
  ...once,
  name: 'loops',
  timeoutMs: 100,
  run: () => {
    for (;;);
  },
});

export const loopsOn = defineTask({
  ...once,
  name: 'loops-on',
  run: ({ log }) => {
    log('started');
    for (;;);
  },
});

export const loopsSilently = defineTask({
  ...once,
  name: 'loops-silently',
  heartbeatTimeoutMs: 100,
  run: () => {
    for (;;);
  },
});

export const hangs = defineTask({ ...once, name: 'hangs', timeoutMs: 100, run: () => never });

export const unexported = [defineTask({ ...once, name: 'in-a-list', run: () => 'found in a list' })];

export default { inDefault: defineTask({ ...once, name: 'in-default', run: () => 'found in the default' }) };

const hidden = defineTask({ ...once, name: 'hidden', run: () => 'never in a host' });

export function theHidden(): typeof hidden {
  return hidden;
}

/** Takes its process with it when it is cancelled. */
export const abortsWhenCancelled = defineTask({
  ...once,
  name: 'aborts-when-cancelled',
  run: async ({ progress, lastProgress, signal }) => {
    signal.addEventListener('abort', () => process.abort());
    progress('started');
    await lastProgress();
    await never;
  },
});

/** Ends when it is started a second time, under the same attempt. */
export const endsSecondTime = defineTask({
  ...once,
  name: 'ends-second-time',
  heartbeatTimeoutMs: 1_000,
  run: async ({ progress, lastProgress }) => {
    if ((await lastProgress()) === 'started') return 'ended';
    progress('started');
    await lastProgress();
    return never;
  },
});

/** In its first process it hangs in a step; in the next one it waits for something else. */
export const durableTwice = defineTask({
  ...once,
  name: 'durable-twice',
  run: async ({ step, waitFor, progress }) => {
    const first = await step('first', () => process.pid);
    if (first !== process.pid) return waitFor('late');
    const hangs = () => {
      progress('started');
      return never;
    };
    return Promise.all([waitFor('early'), step('hangs', hangs)]);
  },
});
