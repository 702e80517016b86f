import { type Ageing, requireAgeing, untilSweepMs } from '../../core/ageing.ts';
import { AGE_LIMIT_DEFAULT, type AgeReceipt, type AgeRequest, type QueueChange } from '../store.ts';
import type { ScriptReply } from './scripts.ts';
import type { Session } from './session.ts';
import { parseSettings } from './settings.ts';

/** Where a queue's sweep stands: the value of its field in the hash `ageing` (lua/sweep.lua). */
interface Sweep {
  readonly queue: number;
  readonly ageing: Ageing;
  /** As it was read. */
  readonly stored: string;
  /** When the last sweep began. */
  readonly sweptAt: number;
  /** The sweep goes on behind the job with this seq; null when it is over. */
  readonly behindSeq: number | null;
}

/** Jobs one script looks at to age them at most; few enough for it not to hold the server up. */
const SWEEP_MOST = 1_000;

/** Lowers the priorities of jobs that wait for long. */
export async function age(
  { scripts }: Session,
  { limit = AGE_LIMIT_DEFAULT }: AgeRequest,
  at: number | undefined,
): Promise<AgeReceipt> {
  const { now, sweeps } = readSweeps(await scripts.run('ageing', at));
  let aged = 0;
  const after: Sweep[] = [];
  for (let sweep of sweeps) {
    if (untilNextMs(sweep, now) === 0 && sweep.behindSeq === null)
      sweep = { ...sweep, sweptAt: now, behindSeq: 0 };
    while (sweep.behindSeq !== null && aged < limit) {
      const { everyMs, floor } = sweep.ageing;
      const { queue, stored, sweptAt, behindSeq } = sweep;
      const most = Math.min(limit - aged, SWEEP_MOST);
      const { values } = await scripts.run(
        'sweep',
        now,
        [queue, stored, sweptAt, behindSeq, everyMs, floor, most].map(String),
      );
      const [mine, jobs, next] = values as [number, number, number];
      // Another process sweeps this queue.
      if (mine === 0) break;
      aged += jobs;
      sweep = { ...sweep, behindSeq: next < 0 ? null : next, stored: `${sweptAt} ${next < 0 ? '-' : next}` };
    }
    after.push(sweep);
  }
  const waits = after.map((sweep) => untilNextMs(sweep, now));
  return {
    aged,
    more: after.some(({ behindSeq }) => behindSeq !== null),
    nextMs: waits.length === 0 ? null : Math.min(...waits),
  };
}

function untilNextMs({ behindSeq, ageing, sweptAt }: Sweep, now: number): number {
  return behindSeq === null ? untilSweepMs(ageing, sweptAt, now) : 0;
}

function readSweeps({ now, values }: ScriptReply): {
  readonly now: number;
  readonly sweeps: readonly Sweep[];
} {
  const sweeps = (values[0] as [number, Buffer, Buffer][]).flatMap(([queue, settings, bytes]): Sweep[] => {
    const stored = String(bytes);
    const ageing = parseSettings(String(settings))?.ageing ?? null;
    if (ageing === null) return [];
    // Where that cannot be read, the sweep begins anew.
    const [, sweptAt = '0', next = '-'] = /^(\d+) (\d+|-)$/.exec(stored) ?? [];
    const behindSeq = next === '-' ? null : Number(next);
    return [{ queue, stored, ageing, sweptAt: Number(sweptAt), behindSeq }];
  });
  return { now, sweeps };
}

/**
 * What configure.lua is told of a sweep: '' leaves it, `-` ends it. The first sweep comes one interval after ageing was
 * set; other values keep the time of the last one. Throws OPTION_INVALID.
 */
export function changeAgeing(before: Ageing | null, change: QueueChange['ageing'], now: number): string {
  if (change === undefined) return '';
  if (change === null) return '-';
  requireAgeing('ageing', change);
  return before === null ? `${now} -` : '';
}
