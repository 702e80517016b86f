import { RUN_PREFIX } from './job-flow.ts';
import type { JobMeta } from './meta.ts';
import { planRefIn } from './plan.ts';

/**
 * The ties between jobs. A job that was enqueued without a correlation id has none stored: then it goes by its own id,
 * or, as a step, by the id of the outermost run. What its handler enqueues inherits that, so a whole tree of jobs has one
 * correlation id, and none of its root's jobs pays for it.
 */
interface Carrier {
  readonly id: string;
  /** As it is stored; unreadable meta says nothing. */
  readonly meta: string | null;
}

export function correlationIdOf({ id, meta }: Carrier): string {
  if (meta === null) return id;
  return read(meta).correlationId ?? runIn(meta) ?? id;
}

/** The one of its meta, or the id of the outermost run. */
export function correlationIdOfRun({ id, meta }: Carrier): string {
  return (meta === null ? undefined : read(meta).correlationId) ?? outermost(id);
}

/** For the meta of what the job's handler enqueues: correlation id and trace. Tags are its own. */
export function passedOn(job: Carrier): JobMeta {
  const { traceparent, tracestate } = job.meta === null ? NOTHING : read(job.meta);
  return {
    correlationId: correlationIdOf(job),
    ...(traceparent === undefined ? {} : { traceparent }),
    ...(traceparent === undefined || tracestate === undefined ? {} : { tracestate }),
  };
}

function runIn(meta: string): string | null {
  try {
    const plan = planRefIn(meta)?.plan;
    return plan?.startsWith(RUN_PREFIX) ? outermost(plan.slice(RUN_PREFIX.length)) : null;
  } catch {
    return null;
  }
}

/** A run that is a step of another one has that one's id before the first `>`. */
export function outermost(run: string): string {
  return run.split('>', 1)[0] as string;
}

const NOTHING: JobMeta = Object.freeze({});

function read(meta: string): JobMeta {
  if (!meta.includes('"correlationId"') && !meta.includes('"traceparent"')) return NOTHING;
  try {
    const found = JSON.parse(meta) as JobMeta | null;
    return typeof found === 'object' && found !== null ? found : NOTHING;
  } catch {
    return NOTHING;
  }
}
