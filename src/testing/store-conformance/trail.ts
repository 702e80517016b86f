import assert from 'node:assert/strict';
import type { AttemptError } from '../../core/errors.ts';
import type { LogLine } from '../../core/job.ts';
import { type KeptTrail, keepError, keepLogs } from '../../core/trail.ts';
import type { It } from './area.ts';
import { attemptError, LEASE_MS, retried, T0, type Trial } from './trial.ts';

export function trailArea(it: It): void {
  it('of the errors of a job the first and the last are kept, redriven or not, the others counted', async (trial) => {
    const redriven = await trial.add({ attemptsMax: 36 });
    const expected = new Map([[redriven, emptyTrail()]]);
    for (const attemptsMax of [105, 3]) expected.set(await trial.add({ attemptsMax }), emptyTrail());
    const check = async (): Promise<void> => {
      for (const [id, kept] of expected) await compare(trial, id, kept);
    };
    for (let round = 1; round <= 108; round += 1) {
      const leases = await trial.claim();
      const outcome = retried(0, `error ${round}`);
      const settlements = leases.map(({ id, token }) => ({ id, token, outcome }));
      await trial.store.settle(settlements, { now: T0 });
      for (const { id } of leases) keepError(expected.get(id) as KeptTrail, attemptError(`error ${round}`));
      if ([36, 100, 101, 102, 104, 108].includes(round)) await check();
      if (round % 36 === 0) await trial.control({ type: 'redrive', id: redriven });
    }
    await check();
    await trial.take();
    await trial.store.reap({ now: T0 + LEASE_MS });
    keepError(expected.get(redriven) as KeptTrail, (await trial.errors(redriven)).at(-1) as AttemptError);
    await check();
    assert.equal(expected.get(redriven)?.errorsOmitted, 9);
  });

  it('of the log lines of a job the last are kept, the others counted', async (trial) => {
    const expected = emptyTrail();
    const lease = await trial.start();
    let written = 0;
    for (const count of [999, 1, 1, 1, 0, 400, 2_500, 3]) {
      const logs = Array.from({ length: count }, (): LogLine => {
        written += 1;
        return { at: T0, attempt: 1, message: `line ${written}`, data: written % 2 === 0 ? '{"n":1}' : null };
      });
      assert.deepEqual(await trial.store.annotate([{ id: lease.id, token: lease.token, logs }]), ['noted']);
      keepLogs(expected, logs);
      await compare(trial, lease.id, expected);
    }
    await trial.settle(lease, { type: 'failed', error: attemptError() });
    keepError(expected, attemptError());
    await compare(trial, lease.id, expected);
    await trial.control({ type: 'redrive', id: lease.id });
    const again = await trial.take();
    const logs = [{ at: T0, attempt: 1, message: 'again', data: null }];
    await trial.store.annotate([{ id: again.id, token: again.token, logs }]);
    keepLogs(expected, logs);
    await compare(trial, lease.id, expected);
  });
}

function emptyTrail(): KeptTrail {
  return { errors: [], errorsOmitted: 0, logs: [], logsOmitted: 0 };
}

async function compare(trial: Trial, id: string, expected: KeptTrail): Promise<void> {
  const { audit: _, ...found } = (await trial.store.trail(id)) ?? { audit: [] };
  assert.deepEqual(found, expected);
}
