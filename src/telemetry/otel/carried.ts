import type { SpanContext } from '@opentelemetry/api';
import { outermost } from '../../core/inherited.ts';
import { type PlanRef, parsePlanRef, planRefIn } from '../../core/plan.ts';

/**
 * The part of a stored meta (core/meta.ts) that concerns a trace, and the W3C Trace Context texts in it. Read once for each attempt.
 */
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
  /** The one in the meta, or of the run; null: that of the job or run itself. */
  readonly correlationId: string | null;
  /** The meta itself. */
  readonly members: Members;
}

type Members = Readonly<Record<string, unknown>>;

const NOTHING: Carried = {
  ...{ parent: null, malformed: null, awaited: false, run: null, part: null, correlationId: null },
  members: {},
};
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(?:-|$)/;
const RUN = 'run/';

export function carriedIn(
  meta: string | null,
  traceState: (text: string) => SpanContext['traceState'],
): Carried {
  if (meta === null) return NOTHING;
  const members = membersOf(meta);
  const { traceparent, tracestate, correlationId, awaited } = members;
  const parts = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent) : null;
  const parent: SpanContext | null =
    parts === null
      ? null
      : {
          traceId: parts[1] as string,
          spanId: parts[2] as string,
          traceFlags: Number.parseInt(parts[3] as string, 16) & 1,
          isRemote: true,
          ...(typeof tracestate === 'string'
            ? { traceState: traceState(tracestate) as NonNullable<SpanContext['traceState']> }
            : {}),
        };
  const ref = refIn(meta, members);
  const run = ref?.plan.startsWith(RUN) ? ref.plan.slice(RUN.length) : null;
  return {
    parent,
    malformed: typeof traceparent === 'string' && parent === null ? traceparent : null,
    awaited: awaited === true,
    run,
    part: run === null ? null : (ref?.as ?? null),
    correlationId: typeof correlationId === 'string' ? correlationId : run === null ? null : outermost(run),
    members,
  };
}

/** The meta with the context in it. */
export function withContext(
  { tracestate: _, ...kept }: Members,
  { traceId, spanId, traceFlags, traceState }: SpanContext,
): string {
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

/** Empty for what is damaged. */
function membersOf(meta: string): Members {
  try {
    const members: unknown = JSON.parse(meta);
    return typeof members === 'object' && members !== null ? (members as Members) : {};
  } catch {
    return {};
  }
}

function refIn(meta: string, { plan }: Members): PlanRef | null {
  if (typeof plan === 'string') return parsePlanRef(plan);
  if (!meta.includes('"plan"')) return null;
  try {
    return planRefIn(meta);
  } catch {
    return null;
  }
}
