import { readFileSync } from 'node:fs';
import { monotonicMs } from '../pacer.ts';
import type { ProcessUse } from './run-log.ts';

/** What this process has taken since its start, all threads together. */
export function ownUse(): ProcessUse {
  const { user, system } = process.cpuUsage();
  const now = monotonicMs();
  return {
    pid: process.pid,
    startedAt: now - process.uptime() * 1_000,
    endedAt: now,
    cpuMicros: user + system,
    peakBytes: ownPeakBytes(),
  };
}

/**
 * Most resident memory that this process has had. On Linux not `resourceUsage().maxRSS`: that is inherited, so a small
 * process started by a large one is said to have been as large. `VmHWM` begins anew with each program.
 */
export function ownPeakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1_024;
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return Number(kilobytes) * 1_024;
}
