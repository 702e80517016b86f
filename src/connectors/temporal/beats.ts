import type { Context } from '@temporalio/activity';

/** Heartbeats of one activity, sent from this thread while its handler runs wherever it runs. */
export interface Beats {
  /** Details that go with this heartbeat and all that follow. */
  tell(details: unknown): void;
  end(): void;
}

/**
 * Temporal brings a cancellation with the answer to a heartbeat, so activities without a heartbeat timeout beat as well.
 * Details of an earlier attempt are repeated, for the server keeps the last ones alone. The SDK sends no more than its throttle allows.
 */
export function startBeats(context: Context, heartbeatMs: number): Beats {
  const { heartbeatTimeoutMs, heartbeatDetails, isLocal } = context.info;
  // A local activity is a part of its workflow task, which Temporal keeps alive.
  if (isLocal) return { tell: () => undefined, end: () => undefined };
  let details: unknown = heartbeatDetails ?? undefined;
  const everyMs = Math.max(
    1,
    Math.min(heartbeatMs, heartbeatTimeoutMs ? heartbeatTimeoutMs / 3 : heartbeatMs),
  );
  const timer = setInterval(() => context.heartbeat(details), everyMs);
  return {
    tell(value) {
      details = value;
      context.heartbeat(value);
    },
    end: () => clearInterval(timer),
  };
}
