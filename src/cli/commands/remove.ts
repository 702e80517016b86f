import { JOB_STATES } from '../../core/job-state.ts';
import { bulkCommand } from '../bulk.ts';

export const remove = bulkCommand({
  verb: 'remove',
  past: 'removed',
  states: JOB_STATES.filter((state) => state !== 'running'),
  asks: 'for good',
  examples: ['longshore remove ID', 'longshore remove --all --state completed --queue mail --yes'],
  act: (jobs, selection, audit) => jobs.remove(selection, audit),
});
