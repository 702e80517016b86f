import { connect } from '../longshore.ts';
import { program } from '../program.ts';

/** Makes the store and keeps every finished job of its queue, so that pruning has nothing to do while something else is measured. */
program<{ readonly url: string }, null>(async ({ url }) => {
  const longshore = await connect(url);
  try {
    await longshore.queues.setRetention('default', { completed: { ageMs: null, count: null } });
    return null;
  } finally {
    await longshore.close();
  }
});
