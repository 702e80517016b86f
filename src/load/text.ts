import { formatDuration } from '../core/duration.ts';
import type { LoadReport } from './generate.ts';

/** One line while it runs: `Concurrent: 10 Jobs: 1234 Rate: 56.78`. */
export function progressLine(noun: string, { concurrent, completed, failed, rate }: LoadReport): string {
  const faults = failed === 0 ? '' : ` Failed: ${failed}`;
  return `Concurrent: ${concurrent} ${noun}: ${completed} Rate: ${rate.toFixed(2)}${faults}`;
}

/** What it came to. */
export function finalLine(noun: string, report: LoadReport): string {
  const { completed, started, failed, seconds, rate, latencyMs } = report;
  const times =
    latencyMs === null
      ? ''
      : `; p50 ${formatDuration(latencyMs.p50)}, p95 ${formatDuration(latencyMs.p95)}, p99 ${formatDuration(latencyMs.p99)}, longest ${formatDuration(latencyMs.max)}`;
  const open = started - completed - failed;
  const rest = [failed === 0 ? '' : `${failed} failed`, open === 0 ? '' : `${open} not waited for`].filter(
    Boolean,
  );
  return `${noun}: ${completed} in ${formatDuration(seconds * 1_000)}, ${rate.toFixed(2)} a second${times}${rest.length === 0 ? '' : ` (${rest.join(', ')})`}`;
}
