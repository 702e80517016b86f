import { bulkCommand } from '../bulk.ts';

export const redrive = bulkCommand({
  verb: 'redrive',
  past: 'will run again',
  states: ['failed'],
  asks: 'no',
  examples: ['longshore redrive ID', "longshore redrive --all --task thumbnail --why 'disk was full'"],
  act: (jobs, selection, audit) => jobs.redrive(selection, audit),
});
