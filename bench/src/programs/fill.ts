import { makeInputs } from '../inputs.ts';
import { connect } from '../longshore.ts';
import { program } from '../program.ts';
import { countJobs } from '../workload.ts';

/** Fills a queue and leaves it: for what queued jobs take of a server's memory, and for workers in other processes. */
export interface FillSettings {
  readonly url: string;
  readonly jobs: number;
  readonly payload: number;
  readonly batch: number;
}

export interface FillRun {
  readonly counts: Readonly<Record<string, number>>;
}

program<FillSettings, FillRun>(async ({ url, jobs, payload, batch }) => {
  const inputs = makeInputs(jobs, payload);
  const longshore = await connect(url);
  try {
    for (let start = 0; start < jobs; start += batch)
      await longshore.enqueueMany('noop', inputs.slice(start, start + batch));
    return { counts: await countJobs(longshore) };
  } finally {
    await longshore.close();
  }
});
