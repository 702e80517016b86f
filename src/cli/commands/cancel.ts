import { statesThatAllow } from '../../core/job-state.ts';
import type { Jobs } from '../../queue/jobs.ts';
import { bulkCommand } from '../bulk.ts';
import { counted } from '../text.ts';

export const cancel = bulkCommand({
  verb: 'cancel',
  past: 'cancelled',
  states: statesThatAllow('cancel'),
  asks: 'yes',
  examples: [
    "longshore cancel ID --why 'wrong input'",
    'longshore cancel --all --queue mail --state scheduled --yes',
  ],
  remark: stillRunning,
  act: (jobs, selection, audit) => jobs.cancel(selection, audit),
});

const LOOKED_AT_MAX = 100;

/** A running job is cancelled when its handler heeds the signal, not before. */
async function stillRunning(jobs: Jobs, ids: readonly string[]): Promise<string | null> {
  const found = await Promise.all(ids.slice(0, LOOKED_AT_MAX).map((id) => jobs.get(id)));
  const running = found.filter((job) => job?.state === 'running').length;
  if (running === 0) return null;
  return `${counted(running, 'running job')} ${running === 1 ? 'was' : 'were'} asked to stop.`;
}
