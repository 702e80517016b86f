import type { TracerProvider } from '@opentelemetry/api';
import { optionInvalid } from '../../core/errors.ts';
import { knownNames, requireKnown } from '../../core/options.ts';
import type { Tracing } from '../../core/tracing.ts';
import { setHandlerScope } from '../../execution/handler-scope.ts';
import { VERSION } from '../../version.ts';
import { warnSparingly } from '../warn-once.ts';
import type { Api } from './api.ts';
import { carriedIn } from './carried.ts';
import { tellTrouble } from './diagnose.ts';
import { SCHEMA_URL } from './names.ts';
import { OtelTracing, type ParentQuestion } from './spans.ts';

/**
 * `longshore/otel`: spans of jobs and runs for OpenTelemetry, on the provider that the program registered. Needs the package
 * `@opentelemetry/api`; how spans are exported is the program's choice. Nothing of Longshore imports this: programs give it to
 * `connect`.
 */
export interface OtelOptions {
  /**
   * Which share of what belongs together is traced, 0 to 1; default 1. Decided by correlation id, or by run, or by job: a run is
   * traced whole or not at all. What is not traced costs a hash.
   */
  readonly ratio?: number;
  /**
   * Whose runs are children of the span that enqueued them, rather than traces of their own with a link to it: `awaited` (default),
   * steps of flows and jobs that were enqueued with `awaited: true`; `steps` alone; `all`; `none`; or what a function says, as by
   * queue. The links are there in any case.
   */
  readonly parent?: 'awaited' | 'steps' | 'all' | 'none' | ((job: ParentQuestion) => boolean);
  /** Default: the one that is registered globally, also later. */
  readonly tracerProvider?: TracerProvider;
}

export type { Tracing } from '../../core/tracing.ts';
export type { ParentQuestion } from './spans.ts';

const OPTIONS = knownNames<OtelOptions>({ ratio: true, parent: true, tracerProvider: true });

/** For `connect(url, { tracing: await otelTracing() })`. Throws OPTION_INVALID, and what an import of `@opentelemetry/api` throws. */
export async function otelTracing(options: OtelOptions = {}): Promise<Tracing> {
  requireKnown('otelTracing', options, OPTIONS);
  const { ratio = 1, parent = 'awaited', tracerProvider } = options;
  if (typeof ratio !== 'number' || !(ratio >= 0 && ratio <= 1))
    throw optionInvalid('ratio', ratio, 'a number from 0 to 1');
  const api: Api = await import('@opentelemetry/api');
  const warn = warnSparingly();
  tellTrouble(api, warn);
  const tracer = (tracerProvider ?? api.trace).getTracer('longshore', VERSION, { schemaUrl: SCHEMA_URL });
  return new OtelTracing(api, tracer, { ratio, hasParent: parentRule(parent), warn });
}

/**
 * For the threads and processes of tasks: call it in the module of a task, or in one that it imports, where that registers a
 * provider and a context manager. Spans that handlers make there are then children of the run of their job.
 */
export async function traceHandlers(): Promise<void> {
  const { context, createTraceState, ROOT_CONTEXT, trace }: Api = await import('@opentelemetry/api');
  setHandlerScope((meta, work) => {
    const { parent } = carriedIn(meta, createTraceState);
    return parent === null ? work() : context.with(trace.setSpanContext(ROOT_CONTEXT, parent), work);
  });
}

function parentRule(parent: NonNullable<OtelOptions['parent']>): (job: ParentQuestion) => boolean {
  if (typeof parent === 'function') return parent;
  if (parent === 'awaited') return ({ step, awaited }) => step || awaited;
  if (parent === 'steps') return ({ step }) => step;
  if (parent === 'all') return () => true;
  if (parent === 'none') return () => false;
  throw optionInvalid('parent', parent, "'awaited', 'steps', 'all', 'none' or a function");
}
