import { readFileSync } from 'node:fs';
import {
  type EventLoopUtilization,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';

/** What a process took between two moments. */
export interface ProcessUse {
  /** Of all threads, and of children that ended. */
  readonly cpuMs: number;
  readonly rssMb: number;
  /** Of its living children, as far as the platform tells. */
  readonly childrenMb: number;
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** Share of the time in which the event loop was busy, 0 to 1. */
  readonly loopBusy: number;
  readonly collections: number;
  readonly collectingMs: number;
}

/** Measures this process from now on. */
export function watchProcess(): { read(): ProcessUse; end(): ProcessUse } {
  const cpu = process.cpuUsage();
  const busy: EventLoopUtilization = performance.eventLoopUtilization();
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  let collections = 0;
  let collectingMs = 0;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) {
      collections += 1;
      collectingMs += duration;
    }
  });
  observer.observe({ entryTypes: ['gc'] });
  const read = (): ProcessUse => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      cpuMs: (user + system) / 1_000,
      rssMb: process.memoryUsage.rss() / 2 ** 20,
      childrenMb: childrenMb(process.pid),
      loopDelayP99Ms: delay.percentile(99) / 1e6,
      loopDelayMaxMs: delay.max / 1e6,
      loopBusy: performance.eventLoopUtilization(busy).utilization,
      collections,
      collectingMs,
    };
  };
  return {
    read,
    end() {
      const use = read();
      delay.disable();
      observer.disconnect();
      return use;
    },
  };
}

/** Resident memory of all that a process has started; 0 where there is no /proc. */
function childrenMb(pid: number): number {
  return childrenOf(pid).reduce((sum, child) => sum + residentMb(child) + childrenMb(child), 0);
}

function childrenOf(pid: number): number[] {
  const text = read(`/proc/${pid}/task/${pid}/children`);
  return text.split(' ').filter(Boolean).map(Number);
}

/** Of any process; 0 where it is gone or the platform does not tell. */
export function residentMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
