import { chain } from '../flows/chain.ts';
import { Durations } from '../histogram.ts';
import { makeInputs } from '../inputs.ts';
import { plansOf } from '../kit/plans.ts';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect, type Longshore } from '../longshore.ts';
import { program } from '../program.ts';
import type { ServerPlace } from '../site.ts';
import { noopTask } from '../workload.ts';

/** Times the verbs of a store one after the other, in rounds: enqueue some jobs, claim them, run them, settle them. */
export interface VerbsSettings {
  readonly url: string;
  readonly server: ServerPlace | null;
  /** Jobs that wait behind the measured ones all the time. */
  readonly waiting: number;
  /** Jobs that were completed before. */
  readonly finished: number;
  readonly rounds: number;
  /** Jobs in each. */
  readonly size: number;
  /** Runs of a flow of three steps, afterwards: their verbs are those of plans. */
  readonly flows: number;
  readonly sabotage: Sabotage | null;
}

export interface VerbsReport extends Evidence {
  /** HdrHistograms of ms, by verb. */
  readonly took: Readonly<Record<string, string>>;
  /** Of PostgreSQL: what each statement of its functions does, by statement. */
  readonly plans: Readonly<Record<string, string>>;
}

program<VerbsSettings, VerbsReport>(async (settings) => {
  const { url, server, waiting, finished, rounds, size, flows, sabotage } = settings;
  const longshore = await connect(url);
  const took: Record<string, Durations> = {};
  try {
    const ledger = new Ledger(rounds * size, sabotage);
    const other = noopTask(new Ledger(0));
    await fill(longshore, finished);
    await longshore.worker({ tasks: [other], concurrency: 500 }).runUntilIdle();
    await fill(longshore, waiting);

    const task = noopTask(ledger);
    const worker = longshore.worker({ tasks: [task], concurrency: size, roles: ['processing'] });
    const inputs = makeInputs(rounds * size, 10);
    const turn = async (round: number): Promise<void> => {
      await longshore.enqueueMany(task, inputs.slice(round * size, (round + 1) * size), { priority: 0 });
      const { completed } = await worker.runOnce();
      if (completed !== size) throw new Error(`A claim brought ${completed} jobs, not ${size}.`);
    };
    // In the first rounds, connections and compiled statements are new.
    const timedFrom = Math.min(10, rounds >> 1);
    for (let round = 0; round < rounds; round += 1) {
      if (round === timedFrom)
        longshore.on('store.called', ({ verb, tookMs }) => {
          took[verb] ??= new Durations();
          took[verb].record(tookMs);
        });
      await turn(round);
    }
    if (flows > 0) await chain(longshore, flows);
    const counts = { completed: ledger.report().jobs };
    const encoded = Object.fromEntries(Object.entries(took).map(([verb, of]) => [verb, of.encoded()]));
    const plans = server?.kind === 'postgres' ? await plansOf(url, server, size) : {};
    return { took: encoded, plans, ledger: ledger.report(), counts };
  } finally {
    await longshore.close();
  }
});

/** Behind the measured ones: a priority that they do not have. */
async function fill(longshore: Longshore, jobs: number): Promise<void> {
  const inputs = makeInputs(jobs, 10).map((input) => ({ ...input, n: -1 }));
  for (let at = 0; at < jobs; at += 5_000)
    await longshore.enqueueMany('noop', inputs.slice(at, at + 5_000), { priority: 10 });
}
