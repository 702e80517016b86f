import { statesThatAllow } from '../../core/job-state.ts';
import { bulkCommand } from '../bulk.ts';

export const cancel = bulkCommand({
  verb: 'cancel',
  past: 'cancelled',
  states: statesThatAllow('cancel'),
  asks: 'yes',
  examples: [
    "longshore cancel ID --why 'wrong input'",
    'longshore cancel --all --queue mail --state scheduled --yes',
  ],
  act: (jobs, selection, audit) => jobs.cancel(selection, audit),
});
