import type { Input } from '../inputs.ts';
import { type Evidence, Ledger, type Sabotage } from '../ledger.ts';
import { connect, type EnqueueOptions } from '../longshore.ts';
import { program } from '../program.ts';
import { spread } from '../spread.ts';
import { countJobs, noopTask } from '../workload.ts';

/**
 * Jobs of one kind on one fresh store, batch after batch: enqueued, then claimed and settled, each by itself. Times are those
 * of the store's verbs (`store.called`), so client, worker and handlers are outside; the way to the server is inside.
 */
export interface VerbsSettings {
  readonly url: string;
  readonly kind: JobKind;
  readonly jobs: number;
  readonly batch: number;
  /** Batches before the timed ones: compiled code, warm caches. */
  readonly warmupBatches: number;
  readonly sabotage: Sabotage | null;
}

export const JOB_KINDS = ['plain', 'delayed', 'unique', 'key'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export interface VerbsRun extends Evidence {
  readonly jobs: number;
  /** Of `enqueue`, µs a job: the median of the batches, which a machine that others use disturbs less than the sum. */
  readonly enqueueMicros: number;
  /** Of `claim` and `settle` together. */
  readonly finishMicros: number;
}

const KEYS = 100;

const OPTIONS: Readonly<Record<JobKind, (n: number) => EnqueueOptions>> = {
  plain: () => ({}),
  delayed: () => ({ delayMs: 1 }),
  unique: (n) => ({ unique: { key: `order-${n}` } }),
  key: (n) => ({ key: `customer-${n % KEYS}` }),
};

program<VerbsSettings, VerbsRun>(async ({ url, kind, jobs, batch, warmupBatches, sabotage }) => {
  const warmup = warmupBatches * batch;
  const ledger = new Ledger(warmup + jobs, sabotage);
  const longshore = await connect(url);
  const task = noopTask(ledger);
  const worker = longshore.worker({ tasks: [task], concurrency: batch, roles: ['processing'] });
  let took = { enqueue: 0, finish: 0 };
  longshore.on('store.called', ({ verb, tookMs }) => {
    if (verb === 'enqueue') took.enqueue += tookMs;
    if (verb === 'claim' || verb === 'settle') took.finish += tookMs;
  });
  const batches: (typeof took)[] = [];
  try {
    for (let start = 0; start < warmup + jobs; start += batch) {
      took = { enqueue: 0, finish: 0 };
      const inputs = Array.from({ length: batch }, (_, n) => ({ n: start + n }));
      await longshore.enqueueMany(task, inputs, (input) => OPTIONS[kind]((input as Input).n));
      // A claim promotes what became due by then; of a delay of 1 ms, that may be all or a part.
      for (let done = 0; done < batch; ) done += (await worker.runOnce()).completed;
      if (start >= warmup) batches.push(took);
    }
    const counts = await countJobs(longshore);
    const micros = (of: (one: typeof took) => number): number =>
      spread(batches.map((one) => (1_000 * of(one)) / batch)).median;
    return {
      jobs,
      enqueueMicros: micros(({ enqueue }) => enqueue),
      finishMicros: micros(({ finish }) => finish),
      ledger: ledger.report(),
      counts,
    };
  } finally {
    await longshore.close();
  }
});
