import { connect } from '../longshore.ts';
import { program } from '../program.ts';
import { countJobs } from '../workload.ts';

/** What the store says of its jobs after all that worked on them are gone. */
program<{ readonly url: string }, Record<string, number>>(async ({ url }) => {
  const longshore = await connect(url);
  try {
    return await countJobs(longshore);
  } finally {
    await longshore.close();
  }
});
