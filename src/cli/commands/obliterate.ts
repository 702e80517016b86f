import { JOB_STATES } from '../../core/job-state.ts';
import { clearingCommand } from '../clearing.ts';

export const obliterate = clearingCommand<{ readonly force?: true }>({
  verb: 'obliterate',
  states: JOB_STATES,
  define: (command) => command.option('--force', 'even with running jobs; their outcomes will be lost'),
  clear: (queues, name, { force }) => queues.obliterate(name, { force: force === true }),
});
