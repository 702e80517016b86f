import { chain } from '../flows/chain.ts';
import { Durations } from '../histogram.ts';
import { type Input, makeInputs } from '../inputs.ts';
import { plansOf } from '../kit/plans.ts';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect, type EnqueueOptions, type Longshore } from '../longshore.ts';
import { program } from '../program.ts';
import type { ServerPlace } from '../site.ts';
import { spread } from '../spread.ts';
import { countJobs, noopTask } from '../workload.ts';

/**
 * Times the verbs of a store one after the other, in rounds: enqueue some jobs, claim them, run them, settle them. Times are those
 * of `store.called`, so client, worker and handlers are outside; the way to the server is inside.
 */
export interface VerbsSettings {
  readonly url: string;
  readonly server: ServerPlace | null;
  /** Jobs that wait behind the measured ones all the time. */
  readonly waiting: number;
  /** Jobs that were completed before. */
  readonly finished: number;
  readonly rounds: number;
  /** Rounds at the begin that are not timed: connections and compiled statements are new. */
  readonly warmup: number;
  readonly kind: JobKind;
  /** Jobs in each. */
  readonly size: number;
  /** Runs of a flow of three steps, afterwards: their verbs are those of plans. */
  readonly flows: number;
  readonly sabotage: Sabotage | null;
}

export const JOB_KINDS = ['plain', 'delayed', 'unique', 'key'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

const KEYS = 100;

const OPTIONS: Readonly<Record<JobKind, (n: number) => EnqueueOptions>> = {
  plain: () => ({}),
  delayed: () => ({ delayMs: 1 }),
  unique: (n) => ({ unique: { key: `order-${n}` } }),
  key: (n) => ({ key: `customer-${n % KEYS}` }),
};

export interface VerbsReport extends Evidence {
  /** Of `enqueue`, µs a job: the median of the rounds, which a machine that others use disturbs less than the sum. */
  readonly enqueueMicros: number;
  /** Of `claim` and `settle` together. */
  readonly finishMicros: number;
  /** HdrHistograms of ms, by verb. */
  readonly took: Readonly<Record<string, string>>;
  /** Of PostgreSQL: what each statement of its functions does, by statement. */
  readonly plans: Readonly<Record<string, string>>;
}

program<VerbsSettings, VerbsReport>(async (settings) => {
  const { url, server, waiting, finished, rounds, warmup, kind, size, flows, sabotage } = settings;
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
      const batch = inputs.slice(round * size, (round + 1) * size);
      await longshore.enqueueMany(task, batch, (input) => OPTIONS[kind]((input as Input).n));
      // A claim promotes what became due by then; of a delay of 1 ms, that may be all or a part.
      for (let done = 0; done < size; ) done += (await worker.runOnce()).completed;
    };
    const perJob: { enqueue: number; finish: number }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      if (round === warmup)
        longshore.on('store.called', ({ verb, tookMs }) => {
          took[verb] ??= new Durations();
          took[verb].record(tookMs);
          const last = perJob.at(-1);
          if (last === undefined) return;
          if (verb === 'enqueue') last.enqueue += (1_000 * tookMs) / size;
          if (verb === 'claim' || verb === 'settle') last.finish += (1_000 * tookMs) / size;
        });
      if (round >= warmup) perJob.push({ enqueue: 0, finish: 0 });
      await turn(round);
    }
    const alone = waiting + finished + flows === 0;
    const counts = alone ? await countJobs(longshore) : { completed: ledger.report().jobs };
    const [enqueue, finish] = [perJob.map((one) => one.enqueue), perJob.map((one) => one.finish)].map(
      (values) => spread(values).median,
    ) as [number, number];
    if (flows > 0) await chain(longshore, flows);
    const encoded = Object.fromEntries(Object.entries(took).map(([verb, of]) => [verb, of.encoded()]));
    const plans = server?.kind === 'postgres' ? await plansOf(url, server, size) : {};
    const micros = { enqueueMicros: enqueue, finishMicros: finish };
    return { ...micros, took: encoded, plans, ledger: ledger.report(), counts };
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
