import assert from 'node:assert/strict';
import { isTerminal } from '../../core/job-state.ts';
import type { Lease } from '../../store/store.ts';
import { completed, retried, spec, T0, type Trial } from './trial.ts';

/**
 * A long run of a queue with every limit at once: workers claim more than they may start, give back, fail and retry,
 * while the clock moves on. What started when is kept, and checked against the limits from outside.
 */
export async function limitRun(trial: Trial, seed: number): Promise<void> {
  const random = mulberry32(seed);
  const upTo = (max: number): number => Math.floor(random() * max);
  const [rate, keyRate] = [
    { count: 7, perMs: 1_000 },
    { count: 2, perMs: 700 },
  ];
  const limits = { concurrency: 5, rate, perKey: { ordered: true, concurrency: null, rate: keyRate } };
  await trial.store.configureQueue('q', { limits }, { now: T0 });
  const keys = ['a', 'b', 'c', null];
  const specs = Array.from({ length: 60 }, (_, index) =>
    spec({ key: keys[index < 25 ? 0 : upTo(4)] ?? null, attemptsMax: 2 }),
  );
  await trial.store.enqueue(specs, { now: T0 });
  const run = new Run(specs.map(({ id, key }) => [id, key]));
  for (let now = T0; run.left > 0; now += upTo(120)) {
    assert.ok(now < T0 + 600_000, `${run.left} jobs never end`);
    for (const lease of await trial.claim({ workerId: `w${upTo(3)}`, limit: 1 + upTo(9), now }))
      run.start(lease, now);
    assert.ok(run.running.length <= limits.concurrency, `${run.running.length} jobs run at once`);
    for (const lease of run.running.filter(() => random() < 0.6)) {
      const chance = random();
      const delayMs = upTo(2) * 300;
      const outcome =
        chance < 0.7 ? completed() : chance < 0.85 ? retried(delayMs) : ({ type: 'released' } as const);
      const receipt = await trial.settle(lease, outcome, now);
      assert.ok(receipt.status === 'settled');
      run.stop(lease, isTerminal(receipt.state));
    }
  }
  requireRate(run.starts, rate);
  for (const key of ['a', 'b', 'c']) {
    const starts = run.starts.filter((start) => start.key === key);
    requireRate(starts, keyRate);
    assert.deepEqual(
      [...new Set(starts.map(({ id }) => id))],
      specs.filter((one) => one.key === key).map(({ id }) => id),
      `jobs of ${key} started out of order`,
    );
  }
}

interface Start {
  readonly id: string;
  readonly key: string | null;
  readonly at: number;
}

class Run {
  readonly starts: Start[] = [];
  running: Lease[] = [];
  readonly #keys: ReadonlyMap<string, string | null>;
  readonly #ended = new Set<string>();

  constructor(jobs: readonly (readonly [id: string, key: string | null])[]) {
    this.#keys = new Map(jobs);
  }

  get left(): number {
    return this.#keys.size - this.#ended.size;
  }

  /** In order: none of the key runs, and all before it have ended or it was the last to start. */
  start(lease: Lease, at: number): void {
    const { id, key } = lease;
    assert.equal(key, this.#keys.get(id));
    if (key !== null) {
      assert.ok(!this.running.some((other) => other.key === key), `two jobs of ${key} run at once`);
      const last = this.starts.findLast((start) => start.key === key);
      assert.ok(last === undefined || last.id === id || this.#ended.has(last.id), `${key} went on too soon`);
    }
    this.running.push(lease);
    this.starts.push({ id, key, at });
  }

  stop({ id }: Lease, ended: boolean): void {
    this.running = this.running.filter((lease) => lease.id !== id);
    if (ended) this.#ended.add(id);
  }
}

function requireRate(starts: readonly Start[], rate: { count: number; perMs: number }): void {
  for (const { at: from } of starts) {
    const inWindow = starts.filter(({ at }) => at >= from && at < from + rate.perMs).length;
    assert.ok(inWindow <= rate.count, `${inWindow} starts in ${rate.perMs} ms`);
  }
}

/** Tommy Ettinger's 32-bit generator, in the public domain: the same numbers on every machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
