import { formatDuration } from '../core/duration.ts';
import { counted, number } from './amounts.ts';
import type { Advice, QueueFacts } from './facts.ts';

/** How many of a queue's completed jobs to keep: a pure rule. */
export function retentionAdvice({ name, counts, retention, perSecond }: QueueFacts): Advice {
  const base = { about: 'queue', name, setting: 'retention' } as const;
  const { ageMs, count } = retention.completed;
  const dead =
    counts.failed > 0
      ? ` ${counted(counts.failed, 'job')} failed and wait for somebody: longshore jobs --state failed.`
      : '';
  const kept = `${number(counts.completed)} completed jobs are kept (${keepText(ageMs, count)}).${dead}`;
  if (ageMs === 0 || count === 0)
    return {
      ...base,
      verdict: 'keep',
      text: 'Nothing is kept of completed jobs: that is cheapest, but then nobody sees how long they took.',
      why: kept,
      paste: null,
    };
  const paste = (most: number): string =>
    `await longshore.queues.setRetention('${name}', { completed: { ageMs: 86_400_000, count: ${most} } });`;
  if (count !== null && counts.completed >= NEARLY * count)
    return {
      ...base,
      verdict: 'change',
      text: 'Say how long jobs are really to be kept: their number bounds them now, not their age.',
      why: kept,
      paste: paste(count),
    };
  const whole = perSecond === null || ageMs === null ? null : (perSecond * ageMs) / 1_000;
  const becomes =
    whole === null
      ? ''
      : ` At ${number(perSecond ?? 0)} jobs/s they become ${number(Math.min(whole, count ?? whole))}.`;
  if (Math.max(counts.completed, whole ?? 0) > MANY)
    return {
      ...base,
      verdict: 'change',
      text: 'Keep completed jobs for a day, unless somebody reads them: so many take room, and time in backups.',
      why: kept + becomes,
      paste: paste(count ?? MANY),
    };
  if (whole === null)
    return {
      ...base,
      verdict: counts.completed === 0 ? 'unknown' : 'keep',
      text: counts.completed === 0 ? 'Not known yet: no job was completed.' : 'Leave it: there are few.',
      why: kept,
      paste: null,
    };
  return { ...base, verdict: 'keep', text: 'Leave it: there are few.', why: kept + becomes, paste: null };
}

/** The bound is reached. */
const NEARLY = 0.95;
const MANY = 200_000;

function keepText(ageMs: number | null, count: number | null): string {
  const age = ageMs === null ? 'for ever' : `for ${formatDuration(ageMs)}`;
  return count === null ? age : `${age}, at most ${number(count)}`;
}
