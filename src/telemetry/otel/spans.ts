import type { Attributes, Context, Link, Span, SpanContext, Tracer } from '@opentelemetry/api';
import { outermost } from '../../core/inherited.ts';
import type { Advance, Running, Sending, Sent, TracedAttempt, Tracing } from '../../core/tracing.ts';
import type { Api } from './api.ts';
import { type Carried, carriedIn, withContext } from './carried.ts';
import { isChosen } from './chosen.ts';
import * as names from './names.ts';
import { RunSpan } from './run-span.ts';
import { epochMs } from './time.ts';

export interface SpanSettings {
  readonly ratio: number;
  /** Whether the run of such a job belongs to the trace that enqueued it. */
  readonly hasParent: (job: ParentQuestion) => boolean;
  readonly warn: (text: string) => void;
}

export interface ParentQuestion {
  readonly queue: string;
  readonly task: string;
  /** It is a step of a run. */
  readonly step: boolean;
  /** It was enqueued with `awaited`. */
  readonly awaited: boolean;
}

const MOVES_MAX = 50;

/** Makes spans of what the port (core/tracing.ts) tells. */
export class OtelTracing implements Tracing {
  readonly #api: Api;
  readonly #tracer: Tracer;
  readonly #settings: SpanSettings;

  constructor(api: Api, tracer: Tracer, settings: SpanSettings) {
    this.#api = api;
    this.#tracer = tracer;
    this.#settings = settings;
  }

  send(sent: readonly Sent[]): Sending | null {
    return this.#safely(() => this.#send(sent));
  }

  run(attempt: TracedAttempt): Running | null {
    return this.#safely(() => this.#run(attempt));
  }

  advanced(advance: Advance): void {
    this.#safely(() => this.#advanced(advance));
  }

  #send(sent: readonly Sent[]): Sending | null {
    const carried = sent.map(({ meta }) => this.#carried(meta));
    const ids = sent.map((one, index) => correlationIdFor(one, carried[index] as Carried));
    const chosen = ids.map((id) => this.#isChosen(id));
    const first = chosen.indexOf(true);
    if (first < 0) return null;
    const parent = this.#parentOf((carried[first] as Carried).parent);
    const span = this.#tracer.startSpan(
      ...sendSpan(sent[first] as Sent, {
        correlationIds: new Set(ids.filter((_, index) => chosen[index])),
        count: chosen.filter(Boolean).length,
        links: linksTo(carried, parent.spanId),
        kind: this.#api.SpanKind.PRODUCER,
      }),
      parent.context,
    );
    const context = span.spanContext();
    // Nobody registered a provider.
    if (!this.#api.isSpanContextValid(context)) return null;
    const metas = sent.map(({ meta }, index) =>
      chosen[index] ? withContext((carried[index] as Carried).members, context) : meta,
    );
    return {
      metas,
      end: (error) => {
        if (error !== undefined) this.#failed(span, error);
        span.end();
      },
    };
  }

  /** What is given with the job, unless a span of that trace is active: then it goes on from there. */
  #parentOf(given: SpanContext | null): { readonly context: Context; readonly spanId: string | null } {
    const { context, trace } = this.#api;
    const active = trace.getSpanContext(context.active());
    if (given === null || given.traceId === active?.traceId)
      return { context: context.active(), spanId: active?.spanId ?? null };
    return { context: trace.setSpanContext(context.active(), given), spanId: given.spanId };
  }

  #run(attempt: TracedAttempt): Running | null {
    const { id, queue, task, meta, workerId, dueAt, claimedAt, agoMs } = attempt;
    const carried = this.#carried(meta);
    if (!this.#isChosen(carried.correlationId ?? id)) return null;
    const { ROOT_CONTEXT, SpanKind, trace, isSpanContextValid } = this.#api;
    const { parent } = carried;
    const { run, awaited } = carried;
    const hasParent = this.#settings.hasParent({ queue, task, step: run !== null, awaited });
    const outer = parent !== null && hasParent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
    const links: Link[] = parent === null ? [] : [{ context: parent }];
    const common = { ...attributesOf(attempt, carried), [names.WORKER]: workerId };
    const beganAt = performance.now() - agoMs;
    const startedAt = epochMs() - agoMs;
    const claim = this.#tracer.startSpan(
      `claim ${queue}`,
      {
        kind: SpanKind.CLIENT,
        startTime: Math.min(claimedAt, startedAt),
        links,
        attributes: {
          ...common,
          ...operation('claim', 'receive'),
          [names.WAIT_MS]: Math.max(0, claimedAt - dueAt),
        },
      },
      outer,
    );
    claim.end(startedAt);
    const span = this.#tracer.startSpan(
      `run ${queue}`,
      {
        kind: SpanKind.CONSUMER,
        startTime: startedAt,
        links,
        attributes: { ...common, ...operation('run', 'process') },
      },
      outer === ROOT_CONTEXT ? trace.setSpan(ROOT_CONTEXT, claim) : outer,
    );
    if (!isSpanContextValid(span.spanContext())) return null;
    return new RunSpan({
      api: this.#api,
      tracer: this.#tracer,
      span,
      startedAt,
      beganAt,
      meta: withContext(carried.members, span.spanContext()),
      settle: { name: `settle ${queue}`, attributes: { ...common, ...operation('settle', 'settle') } },
    });
  }

  #advanced({ run, flow, meta, state, moves, tookMs }: Advance): void {
    const { parent, correlationId } = this.#carried(meta);
    const ownId = correlationId ?? outermost(run);
    if (!this.#isChosen(ownId)) return;
    const { ROOT_CONTEXT, trace } = this.#api;
    const endedAt = epochMs();
    const attributes: Attributes = {
      [names.SYSTEM]: 'longshore',
      [names.FLOW]: flow,
      [names.RUN]: run,
      [names.STATE]: state,
      [names.MOVES]: moves.slice(0, MOVES_MAX).map(({ step, to }) => `${step} ${to}`),
      [names.CORRELATION_ID]: ownId,
    };
    this.#tracer
      .startSpan(
        `advance ${flow}`,
        { startTime: endedAt - tookMs, attributes },
        parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent),
      )
      .end(endedAt);
  }

  #carried(meta: string | null): Carried {
    const carried = carriedIn(meta, this.#api.createTraceState);
    if (carried.malformed !== null)
      this.#settings.warn(
        `a job carries a traceparent that is none (${carried.malformed.slice(0, SHOWN_CHARS)}); it begins a trace of its own. Expected: version-traceId-parentId-flags in lower-case hexadecimal (W3C).`,
      );
    return carried;
  }

  #isChosen(correlationId: string): boolean {
    return isChosen(correlationId, this.#settings.ratio);
  }

  #failed(span: Span, error: unknown): void {
    const { name = 'Error', message = String(error) } = error as Partial<Error>;
    span.recordException({ name, message });
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message });
    span.setAttribute(names.ERROR_TYPE, (error as { code?: unknown }).code?.toString() ?? name);
  }

  /** Tracing may fail; jobs go on. */
  #safely<Result>(work: () => Result): Result | null {
    try {
      return work();
    } catch (error) {
      this.#settings.warn(`tracing failed, and the job goes on untraced: ${String(error)}`);
      return null;
    }
  }
}

const SHOWN_CHARS = 80;

function operation(name: string, type: string): Attributes {
  return { [names.OPERATION]: name, [names.OPERATION_TYPE]: type };
}

function attributesOf(
  { id, queue, task, attempt }: TracedAttempt,
  { run, part, correlationId }: Carried,
): Attributes {
  return {
    [names.SYSTEM]: 'longshore',
    [names.QUEUE]: queue,
    [names.JOB]: id,
    [names.TASK]: task,
    [names.ATTEMPT]: attempt,
    [names.CORRELATION_ID]: correlationId ?? id,
    ...(run === null ? {} : { [names.RUN]: run }),
    ...(part === null ? {} : { [names.PART]: part }),
  };
}

function correlationIdFor({ kind, id }: Sent, { correlationId }: Carried): string {
  return correlationId ?? (kind === 'run' ? outermost(id) : id);
}

interface SendGiven {
  readonly correlationIds: ReadonlySet<string>;
  readonly count: number;
  readonly links: Link[];
  readonly kind: number;
}

function sendSpan(
  { kind: what, id, queue, name }: Sent,
  { correlationIds, count, links, kind }: SendGiven,
): [string, { kind: number; links: Link[]; attributes: Attributes }] {
  const isJob = what === 'job';
  const attributes: Attributes = {
    [names.SYSTEM]: 'longshore',
    ...operation(isJob ? 'enqueue' : 'start', 'send'),
    ...(queue === null ? {} : { [names.QUEUE]: queue }),
    [isJob ? names.TASK : names.FLOW]: name,
    ...(count > 1 ? { [names.JOBS]: count } : { [isJob ? names.JOB : names.RUN]: id }),
    // Many that belong to many have no one id.
    ...(correlationIds.size === 1 ? { [names.CORRELATION_ID]: [...correlationIds][0] as string } : {}),
  };
  return [isJob ? `enqueue ${queue}` : `start ${name}`, { kind, links, attributes }];
}

/** To the traces that jobs of a batch brought along, other than the one that the span is in. */
function linksTo(carried: readonly Carried[], parent: string | null): Link[] {
  const contexts = new Map<string, SpanContext>();
  for (const { parent: own } of carried)
    if (own !== null && own.spanId !== parent && contexts.size < LINKS_MAX) contexts.set(own.spanId, own);
  return [...contexts.values()].map((context) => ({ context }));
}

/** What an SDK keeps unless it is told otherwise. */
const LINKS_MAX = 128;
