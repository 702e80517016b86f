import type { SpanContext } from '@opentelemetry/api';
import { planRefIn } from '../../core/plan.ts';

/** What a stored meta (core/meta.ts) carries of a trace, and the W3C Trace Context texts in it. */
export interface Carried {
  /** Null also where it is malformed: then a new trace begins, as the recommendation has it. */
  readonly parent: SpanContext | null;
  /** A traceparent is there that cannot be read. */
  readonly malformed: string | null;
  /** Whoever enqueued the job waits for its result. */
  readonly awaited: boolean;
  /** The id of the run that the job is a step of. */
  readonly run: string | null;
  /** Which part of the run. */
  readonly part: string | null;
}

const NOTHING: Carried = { parent: null, malformed: null, awaited: false, run: null, part: null };
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/;
const RUN = 'run/';

export function carriedIn(
  meta: string | null,
  traceState: (text: string) => SpanContext['traceState'],
): Carried {
  if (meta === null) return NOTHING;
  const { traceparent, tracestate, awaited } = textsIn(meta);
  const parts = TRACEPARENT.exec(traceparent ?? '');
  const parent: SpanContext | null =
    parts === null
      ? null
      : {
          traceId: parts[1] as string,
          spanId: parts[2] as string,
          traceFlags: Number.parseInt(parts[3] as string, 16) & 1,
          isRemote: true,
          ...(tracestate === null
            ? {}
            : { traceState: traceState(tracestate) as NonNullable<SpanContext['traceState']> }),
        };
  const ref = runRefIn(meta);
  return {
    parent,
    malformed: traceparent !== null && parent === null ? traceparent : null,
    awaited,
    run: ref?.run ?? null,
    part: ref?.part ?? null,
  };
}

/** The meta with the context in it. */
export function withContext(
  meta: string | null,
  { traceId, spanId, traceFlags, traceState }: SpanContext,
): string {
  const { tracestate: _, ...kept } = meta === null ? {} : (JSON.parse(meta) as { tracestate?: unknown });
  const traceparent = `00-${traceId}-${spanId}-${(traceFlags & 1) === 1 ? '01' : '00'}`;
  const state = traceState?.serialize() ?? '';
  return JSON.stringify({
    ...kept,
    traceparent,
    ...(state === '' || state.length > TRACESTATE_CHARS_MAX ? {} : { tracestate: state }),
  });
}

/** As core/meta.ts has it. */
const TRACESTATE_CHARS_MAX = 512;

interface Texts {
  readonly traceparent: string | null;
  readonly tracestate: string | null;
  readonly awaited: boolean;
}

const NO_TEXTS: Texts = { traceparent: null, tracestate: null, awaited: false };

function textsIn(meta: string): Texts {
  if (!meta.includes('"traceparent"')) return NO_TEXTS;
  try {
    const { traceparent, tracestate, awaited } = JSON.parse(meta) as Partial<Record<keyof Texts, unknown>>;
    return {
      traceparent: typeof traceparent === 'string' ? traceparent : null,
      tracestate: typeof tracestate === 'string' ? tracestate : null,
      awaited: awaited === true,
    };
  } catch {
    return NO_TEXTS;
  }
}

function runRefIn(meta: string): { readonly run: string; readonly part: string } | null {
  try {
    const ref = planRefIn(meta);
    return ref?.plan.startsWith(RUN) ? { run: ref.plan.slice(RUN.length), part: ref.as } : null;
  } catch {
    return null;
  }
}
