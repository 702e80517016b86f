import type { Attributes, Span, Tracer } from '@opentelemetry/api';
import type { AttemptError } from '../../core/errors.ts';
import type { OutcomeType } from '../../core/outcome.ts';
import type { Running } from '../../core/tracing.ts';
import type { Api } from './api.ts';
import { ERROR_TYPE, LANE_MS, OUTCOME } from './names.ts';

export interface RunSpanGiven {
  readonly api: Api;
  readonly tracer: Tracer;
  readonly span: Span;
  /** Of the span. */
  readonly startedAt: number;
  /** The same as `performance.now()` has it. */
  readonly beganAt: number;
  readonly meta: string;
  /** The span of the settlement, to be. */
  readonly settle: { readonly name: string; readonly attributes: Attributes };
}

/** The span of one attempt, active while its handler runs, and after it that of storing the outcome. */
export class RunSpan implements Running {
  readonly meta: string;
  readonly #given: RunSpanGiven;
  /** Times of one attempt are told by the clock that is never set. */
  readonly #offset: number;
  #endedAt: number | null = null;

  constructor(given: RunSpanGiven) {
    this.#given = given;
    this.meta = given.meta;
    this.#offset = given.startedAt - given.beganAt;
  }

  within<Result>(work: () => Result): Result {
    const { api, span } = this.#given;
    return api.context.with(api.trace.setSpan(api.ROOT_CONTEXT, span), work);
  }

  ended(outcome: OutcomeType, error: AttemptError | null, runMs: number): void {
    if (this.#endedAt !== null) return;
    this.#endedAt = this.#now();
    const { api, span, startedAt } = this.#given;
    span.setAttribute(OUTCOME, outcome);
    span.setAttribute(LANE_MS, Math.max(0, this.#endedAt - startedAt - runMs));
    if (error !== null) {
      const { name, message, stack, code } = error;
      span.recordException({ name, message, ...(stack === null ? {} : { stack }) });
      span.setStatus({ code: api.SpanStatusCode.ERROR, message });
      span.setAttribute(ERROR_TYPE, code ?? name);
    }
    span.end(this.#endedAt);
  }

  settled(outcome: OutcomeType | 'lost'): void {
    const { api, tracer, span, settle } = this.#given;
    // A lease that is lost while the handler runs is settled by nobody.
    if (this.#endedAt === null) return;
    const attributes = { ...settle.attributes, [OUTCOME]: outcome };
    const options = { kind: api.SpanKind.CLIENT, startTime: this.#endedAt, attributes };
    const settling = tracer.startSpan(settle.name, options, api.trace.setSpan(api.ROOT_CONTEXT, span));
    if (outcome === 'lost')
      settling.setStatus({ code: api.SpanStatusCode.ERROR, message: 'the lease is lost' });
    settling.end(this.#now());
  }

  #now(): number {
    return performance.now() + this.#offset;
  }
}
