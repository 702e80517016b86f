import { LongshoreError } from '../core/errors.ts';
import { KEPT, parseRun, type RunValue } from '../core/flow/run.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { WaitOptions } from '../core/wait.ts';
import type { PlanRecord } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import type { AnyFlow } from './flow.ts';
import { runPlace } from './run-payload.ts';
import { runKey } from './run-plan.ts';
import type { SignalTo } from './run-signal.ts';
import type { RunWatch } from './run-watch.ts';

export interface RunMeans {
  readonly store: Store;
  readonly codec: PayloadCodec;
  readonly watch: RunWatch;
  /** Sends a signal; with the flow it is checked by its schema. */
  readonly signal: (to: SignalTo) => Promise<void>;
}

export interface RunEnd {
  readonly id: string;
  readonly state: 'completed' | 'failed' | 'cancelled';
  /** Why it did not complete. */
  readonly reason: string | null;
}

/** A payload may be left out where anything goes. */
type PayloadGiven<Payload> = undefined extends Payload ? [payload?: Payload] : [payload: Payload];

/** What `flows.start` returns: the run's id, and ways to follow it. `Result` and `Signals` are inferred from the flow. */
export class RunHandle<Result = unknown, Signals = Readonly<Record<string, unknown>>> {
  readonly id: string;
  /** `existing`: there was a run of this id, and nothing was started. */
  readonly status: 'created' | 'existing';
  readonly #means: RunMeans;
  readonly #flow: AnyFlow | null;

  constructor(id: string, status: RunHandle['status'], means: RunMeans, flow: AnyFlow | null = null) {
    this.id = id;
    this.status = status;
    this.#means = means;
    this.#flow = flow;
  }

  /**
   * Sends a signal; one that comes before its wait is kept. Typed by the `signals` that the flow declares, and checked by the
   * schema before it is sent. Rejects with INPUT_INVALID, RUN_UNKNOWN, RUN_STATE_REFUSED, OPTION_INVALID, PAYLOAD_NOT_JSON,
   * PAYLOAD_TOO_LARGE.
   */
  async signal<Name extends keyof Signals & string>(
    name: Name,
    ...[payload]: PayloadGiven<Signals[Name]>
  ): Promise<void> {
    await this.#means.signal({ id: this.id, name, payload, flow: this.#flow });
  }

  /**
   * Resolves to the run's result once it has completed, wherever it runs. Rejects with RUN_FAILED, RUN_CANCELLED, RUN_UNKNOWN
   * (it ended and is kept no longer), RESULT_TIMEOUT, or the signal's reason. A run that is blocked has not ended.
   */
  async result(options?: WaitOptions): Promise<Result> {
    const plan = await this.#means.watch.wait(this.id, options);
    const run = parseRun(plan.value);
    if (plan.state === 'completed') return (await this.#resultOf(run)) as Result;
    throw endError(plan, run);
  }

  /** Resolves once the run has ended, in whatever state. */
  async ended(options?: WaitOptions): Promise<RunEnd> {
    const plan = await this.#means.watch.wait(this.id, options);
    return { id: this.id, state: plan.state as RunEnd['state'], reason: parseRun(plan.value).reason };
  }

  async #resultOf(run: RunValue): Promise<unknown> {
    const { store, codec } = this.#means;
    const inline = run.inline[KEPT.result];
    const text =
      inline !== undefined
        ? inline
        : ((await store.plan(runKey(this.id), [KEPT.result]))?.kept[KEPT.result] ?? null);
    return codec.decode(text, runPlace(this.id), `the result of run '${this.id}'`);
  }
}

function endError({ state }: PlanRecord, run: RunValue): LongshoreError {
  const failed = Object.entries(run.steps).flatMap(([step, { is, error }]) =>
    is === 'failed' ? [{ step, error }] : [],
  );
  const details = { id: run.id, flow: run.flow, reason: run.reason, failed };
  const why = run.reason ?? 'no reason was kept';
  return state === 'cancelled'
    ? new LongshoreError('RUN_CANCELLED', `Run '${run.id}' of flow '${run.flow}' was cancelled: ${why}.`, {
        details,
      })
    : new LongshoreError('RUN_FAILED', `Run '${run.id}' of flow '${run.flow}' failed: ${why}.`, { details });
}
