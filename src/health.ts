import type { Clock } from './core/clock.ts';
import { LongshoreError } from './core/errors.ts';
import { newId } from './core/ids.ts';
import { knownNames } from './core/options.ts';
import type { Store } from './store/store.ts';
import { stillInTrouble, type Trouble, type WorkerHealth } from './worker/trouble.ts';

/** What a readiness probe asks. All of it is looked at when asked, nothing is remembered from better days. */
export interface Health {
  /** The store answers, and every started worker can claim and keeps its leases. */
  readonly ok: boolean;
  readonly store: {
    readonly ok: boolean;
    /** How long its answer took, or the wait for it. */
    readonly tookMs: number;
    readonly trouble: Trouble | null;
  };
  /** True when hints reach this process from others; otherwise jobs of others are found by polling. */
  readonly notifications: boolean;
  /** The workers of this connection that are started. */
  readonly workers: readonly WorkerHealth[];
}

export interface HealthOptions {
  /** How long the store may take to answer; default 2,000. */
  readonly timeoutMs?: number;
}

export const HEALTH_OPTIONS = knownNames<HealthOptions>({ timeoutMs: true });

export const HEALTH_TIMEOUT_MS_DEFAULT = 2_000;

export async function healthOf(
  store: Store,
  workers: readonly WorkerHealth[],
  { timeoutMs, clock }: { readonly timeoutMs: number; readonly clock: Clock },
): Promise<Health> {
  const began = performance.now();
  const trouble = await probe(store, timeoutMs, clock);
  return {
    ok: trouble === null && workers.every(({ ok }) => ok),
    store: { ok: trouble === null, tookMs: performance.now() - began, trouble },
    notifications: store.notifier.crossProcess,
    workers,
  };
}

/** Asks the store for a job that cannot exist: a round trip on its hot connection, and a read that costs nothing. */
async function probe(store: Store, timeoutMs: number, clock: Clock): Promise<Trouble | null> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => reject(noAnswer(timeoutMs)));
  try {
    await Promise.race([store.get([newId(clock.now())]), late]);
    return null;
  } catch (error) {
    return stillInTrouble(null, error, clock.now());
  } finally {
    cancel();
  }
}

function noAnswer(timeoutMs: number): LongshoreError {
  return new LongshoreError(
    'STORE_UNAVAILABLE',
    `The store did not answer within ${timeoutMs} ms. It hangs, or the way to it is cut.`,
    { details: { timeoutMs } },
  );
}
