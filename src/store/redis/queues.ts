import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import { changeLimits, LIMITS_NONE } from '../../core/limits.ts';
import type { QueueChange, QueueRecord, QueueSettings } from '../store.ts';
import { changeAgeing } from './ageing.ts';
import type { Session } from './session.ts';
import { parseSettings, type StoredSettings, settingsUnreadable } from './settings.ts';
import { stateNumber } from './states.ts';

/** Read, changed here, and written if nobody else was faster: then once more from the start. */
export async function configureQueue(
  { scripts }: Session,
  name: string,
  change: QueueChange,
  at: number | undefined,
): Promise<QueueSettings> {
  for (;;) {
    const { now, values } = await scripts.run('settings', at, [name]);
    const read = String(values[0]);
    const stored = parseSettings(read);
    const before = stored ?? settingsUnreadable(now);
    const after = changed(before, change, now);
    const args = [
      name,
      read,
      JSON.stringify(after),
      changeAgeing(before.ageing, change.ageing, now),
      change.limits === undefined && stored !== null ? '0' : '1',
      hintsOf(change),
    ];
    const written = await scripts.run('configure', now, args);
    if (written.values[0] === 1) return toSettings(name, after);
  }
}

/** Throws OPTION_INVALID. */
function changed(before: StoredSettings, change: QueueChange, now: number): StoredSettings {
  const { paused, retention, limits, ageing } = change;
  const limited = limits === undefined ? before.limits : changeLimits(before.limits ?? LIMITS_NONE, limits);
  return {
    pausedAt: paused === undefined ? before.pausedAt : paused ? (before.pausedAt ?? now) : null,
    retention: { ...before.retention, ...retention },
    limits: JSON.stringify(limited) === JSON.stringify(LIMITS_NONE) ? null : limited,
    ageing:
      ageing === undefined
        ? before.ageing
        : ageing && { everyMs: Math.ceil(ageing.everyMs), floor: ageing.floor },
  };
}

function hintsOf({ paused, limits }: QueueChange): string {
  return (paused === undefined ? '' : 'c') + (paused === false || limits !== undefined ? 'r' : '');
}

function toSettings(name: string, { pausedAt, retention, limits, ageing }: StoredSettings): QueueSettings {
  return { name, pausedAt, retention, limits: limits ?? LIMITS_NONE, ageing };
}

/** Every queue that has settings or jobs, by name. Counts are kept, not counted. */
export async function queues({ scripts }: Session): Promise<QueueRecord[]> {
  const { now, values } = await scripts.run('queues', undefined);
  const [names, settings, counts, since] = (values as (readonly Buffer[])[]).map(pairs) as [
    Pairs,
    Pairs,
    Pairs,
    Pairs,
  ];
  const records: QueueRecord[] = [];
  for (const [number, name] of [['0', '*'] as const, ...names]) {
    const known = settings.get(number);
    const jobs = countsOf(Number(number), counts);
    if (known !== undefined || Object.values(jobs).some((count) => count > 0))
      records.push({
        ...toSettings(name, parseSettings(known ?? '') ?? settingsUnreadable(now)),
        counts: jobs,
        oldestReadyMs: since.has(number) ? Math.max(0, now - Number(since.get(number))) : null,
      });
  }
  return records.sort((one, other) => (one.name < other.name ? -1 : 1));
}

type Pairs = ReadonlyMap<string, string>;

function pairs(flat: readonly Buffer[]): Pairs {
  const map = new Map<string, string>();
  for (let at = 0; at < flat.length; at += 2) map.set(String(flat[at]), String(flat[at + 1]));
  return map;
}

/** Fields are queue * 8 + state (lua/_counts.lua). */
function countsOf(queue: number, counts: Pairs): Record<JobState, number> {
  const entries = JOB_STATES.map((state) => [
    state,
    Number(counts.get(String(queue * 8 + stateNumber(state))) ?? 0),
  ]);
  return Object.fromEntries(entries) as Record<JobState, number>;
}

/** Jobs one script deletes at most: about 15 ms. Fewer are deleted all at once. */
const CLEAR_MOST = 2_000;

/** Calls a step behind all that was called before it. */
export type InTurn = <Result>(step: () => Promise<Result>) => Promise<Result>;

interface Clearing {
  readonly session: Session;
  readonly inTurn: InTurn;
  readonly queue: string;
  readonly states: readonly JobState[];
  readonly now: number | undefined;
}

/**
 * More than CLEAR_MOST jobs go in several steps, the newest first. Other calls go in between, here and on the server; what
 * they add stays.
 */
export async function clear({ session, inTurn, queue, states, now }: Clearing): Promise<number> {
  const digits = states.map(stateNumber).join('');
  let [below, jobs] = ['', 0];
  while (below !== '-1') {
    const args = [queue, digits, below, String(CLEAR_MOST)];
    const { values } = await inTurn(() => session.scripts.run('clear', now, args));
    below = String(values[0]);
    jobs += values[1] as number;
  }
  return jobs;
}
