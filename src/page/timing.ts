import cronstrue from 'cronstrue';
import type { ScheduleSummary } from './data.ts';
import { exact, span } from './words.ts';

/** When a schedule ticks, in words. */
export function timingText({ cron, zone, everyMs, at }: ScheduleSummary): string {
  if (cron !== null) return `${cronText(cron)} (${zone ?? 'UTC'})`;
  if (everyMs !== null) return `Every ${span(everyMs)}`;
  return at === null ? 'Never' : `Once, ${exact(at)}`;
}

/** What the library does not read is shown as it is. */
function cronText(expression: string): string {
  try {
    return cronstrue.toString(expression, { use24HourTimeFormat: true });
  } catch {
    return expression;
  }
}
