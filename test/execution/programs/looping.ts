/** A worker with a job that holds the event loop of its process for ever; to be killed. */
import { connect } from '../../../src/index.ts';
import { holdsForEver } from '../tasks/holds.ts';

const longshore = await connect('memory:');
await longshore.worker({ tasks: [holdsForEver], strategy: 'process', processes: 2 }).start();
await longshore.enqueueMany(holdsForEver, [null, null]);
