import { statesThatAllow } from '../../core/job-state.ts';
import { bulkCommand } from '../bulk.ts';

export const cancel = bulkCommand({
  verb: 'cancel',
  past: 'cancelled (running ones are asked to stop)',
  states: statesThatAllow('cancel'),
  destructive: true,
  examples: [
    "longshore cancel ID --why 'wrong input'",
    'longshore cancel --all --queue mail --state scheduled --yes',
  ],
  act: (jobs, selection, audit) => jobs.cancel(selection, audit),
});
