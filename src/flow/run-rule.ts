import type { Clock } from '../core/clock.ts';
import { LongshoreError } from '../core/errors.ts';
import type { Action } from '../core/flow/actions.ts';
import type { RunDecision } from '../core/flow/decide.ts';
import { parseRun } from '../core/flow/run.ts';
import { correlationIdOfRun } from '../core/inherited.ts';
import type { PayloadCodec } from '../core/payload.ts';
import type { Tracing } from '../core/tracing.ts';
import type { DuePlan } from '../store/plans.ts';
import type { JobCommand, Store } from '../store/store.ts';
import type { EventBus } from '../telemetry/events.ts';
import { Definitions } from './definitions.ts';
import { findLost } from './lost-parts.ts';
import type { Decided, PlanRule, Stops } from './plan-rule.ts';
import { isCheck } from './run-check.ts';
import { decidePlan, RUN_KIND, runIdOf, stopOf } from './run-plan.ts';
import { runGone } from './run-watch.ts';

interface RuleMeans {
  readonly store: Store;
  readonly clock: Clock;
  readonly codec: PayloadCodec;
  readonly events: EventBus;
  readonly tracing: Tracing | null;
}

/** Decides on runs of flows, by the definition each began with. */
export class RunRule implements PlanRule {
  readonly kind = RUN_KIND;
  readonly definitions: Definitions;
  readonly #means: RuleMeans;

  constructor(means: RuleMeans) {
    this.#means = means;
    this.definitions = new Definitions(means.store, means.clock);
  }

  /** Throws FLOW_UNKNOWN, and what core/flow/actions.ts throws for an action that is refused. */
  async decide(plan: DuePlan, now: number, action?: unknown): Promise<Decided> {
    const beganAt = performance.now();
    const run = parseRun(plan.value);
    const { version } = run;
    const flow = await this.definitions.get(version);
    if (flow === null)
      throw new LongshoreError(
        'FLOW_UNKNOWN',
        `The definition '${version}' of flow '${plan.label}' is not stored, so run '${plan.key}' cannot go on. Start a run of that version of the flow to store it again.`,
        { details: { key: plan.key, version } },
      );
    const { store } = this.#means;
    const { plan: read, lost } =
      action === undefined && isCheck(plan, run, now)
        ? await findLost(plan, { store, run, flow, now })
        : { plan, lost: [] };
    const { unit, follow, decision } = await decidePlan(
      read,
      { ...this.#means, now, flow, run, lost },
      action as Action,
    );
    return {
      unit,
      follow,
      wakeAt: decision.wakeAt,
      stops: stopsOf(decision),
      tell: () => this.#tell(plan, decision, beganAt),
    };
  }

  unknown(key: string): LongshoreError {
    return runGone(runIdOf(key));
  }

  #tell(plan: DuePlan, { run, moves, state }: RunDecision, beganAt: number): void {
    const { events, tracing } = this.#means;
    const of = { run: run.id, flow: run.flow, correlationId: correlationIdOfRun(run) };
    tracing?.advanced({
      run: run.id,
      flow: run.flow,
      meta: run.meta,
      state,
      moves,
      tookMs: performance.now() - beganAt,
    });
    if (plan.version === 0 && events.wants('run.started'))
      events.emit('run.started', { ...of, parent: run.parent !== null });
    if (events.wants('step.moved')) for (const move of moves) events.emit('step.moved', { ...of, ...move });
    if (plan.state !== state && events.wants('run.moved'))
      events.emit('run.moved', { ...of, from: plan.state, to: state, reason: run.reason });
  }
}

function stopsOf({ run, stops }: RunDecision): Stops {
  const orders = stops.map((order) => stopOf(run, order));
  const why = `run '${run.id}': ${run.reason ?? 'the step was ended by hand'}`;
  return {
    jobs: orders.flatMap((order): JobCommand[] =>
      'job' in order ? [{ type: 'cancel', id: order.job, by: 'flow', why }] : [],
    ),
    reports: orders.flatMap((order) => ('report' in order ? [order.report] : [])),
  };
}
