import { WAITING_STATES } from '../../core/job-state.ts';
import { clearingCommand } from '../clearing.ts';

export const drain = clearingCommand({
  verb: 'drain',
  states: WAITING_STATES,
  clear: (queues, name) => queues.drain(name),
});
