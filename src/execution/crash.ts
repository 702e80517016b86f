import { LongshoreError, show } from '../core/errors.ts';
import { namedReasonOf } from '../core/legible.ts';
import type { Host } from './host.ts';
import { type HostEnd, heapMiB } from './host-starter.ts';
import type { LaneName } from './lane.ts';
import type { PoolJob } from './pool-job.ts';
import type { HostEvent } from './pool-options.ts';
import type { DyingMessage, HostSettings } from './protocol.ts';
import { unloadable } from './unloadable.ts';
import { unpackError } from './wire-error.ts';

/** What the job under which a host ended is told: LANE_CRASHED or LANE_OUT_OF_MEMORY, with how it ended. */
export function crashError({ lane, settings, host, end, task }: Crash): LongshoreError {
  const details = { lane, task, exitCode: end.exitCode, signal: end.signal };
  const whose = task === null ? `A ${lane}` : `The ${lane} that ran task ${show(task)}`;
  if (end.outOfMemory) {
    const limit =
      settings.heapBytesMax === null
        ? "Node's own heap limit"
        : `its heap limit of ${heapMiB(settings.heapBytesMax)} MiB`;
    return new LongshoreError(
      'LANE_OUT_OF_MEMORY',
      `${whose} reached ${limit}. Raise heapBytesMax, or let the handler hold less at a time.`,
      { details },
    );
  }
  const cause = host.lastWords?.error == null ? end.error : unpackError(host.lastWords.error);
  return new LongshoreError('LANE_CRASHED', `${whose} ended: ${how(host, end, cause)}.`, {
    ...(cause === null ? {} : { cause }),
    details,
  });
}

interface Crash {
  readonly lane: LaneName;
  readonly settings: HostSettings;
  readonly host: { readonly lastWords: DyingMessage | null; readonly ready: boolean };
  readonly end: HostEnd;
  /** The task that is to blame, where one is. */
  readonly task: string | null;
}

function how({ lastWords, ready }: Crash['host'], end: HostEnd, cause: unknown): string {
  const thrown = namedReasonOf(cause);
  if (lastWords?.how === 'exit') return `process.exit(${lastWords.exitCode}) was called`;
  if (lastWords?.how === 'uncaughtException') return `an exception that nothing caught, ${thrown}`;
  if (lastWords?.how === 'unhandledRejection') return `a rejected promise that nothing handled, ${thrown}`;
  if (!ready) return `it could not start${cause === null ? '' : `, ${thrown}`}`;
  if (cause !== null) return thrown;
  if (end.signal !== null) return `signal ${end.signal}${SIGNALS[end.signal] ?? ''}`;
  return `exit code ${end.exitCode}`;
}

const SIGNALS: Readonly<Record<string, string>> = {
  SIGABRT: ' (process.abort(), or a failed check of native code)',
  SIGKILL: ' (sent from outside; the kernel sends it when the machine runs out of memory)',
  SIGSEGV: ' (native code touched memory that is not its own)',
};

/** How a host ended, for jobs in it that are not to blame. */
export interface Death {
  readonly host: Host;
  readonly error: LongshoreError;
  /** Nobody knows whose fault it was. */
  readonly doubtful: boolean;
}

/** Whose fault the end of a host was; null: nobody knows, or nobody's. */
export function blame(host: Host): PoolJob | null {
  if (host.killed !== null) return host.killed.job;
  const culprit = host.lastWords?.job ?? null;
  if (culprit !== null) return host.jobs.get(culprit) ?? null;
  return host.current;
}

/** What the one to blame is told. A host that never spoke is no fault of a module. */
export function faultOf(blamed: PoolJob, host: Host, error: LongshoreError): LongshoreError {
  return blamed.running || !host.ready ? error : unloadable(blamed, error);
}

/** As its event says. */
export function reasonOf(host: Host, end: HostEnd): Extract<HostEvent, { readonly type: 'ended' }>['why'] {
  if (host.killed !== null) return 'killed';
  if (end.outOfMemory) return 'outOfMemory';
  return host.retiring && host.lastWords === null && host.jobs.size === 0 ? 'retired' : 'crashed';
}
