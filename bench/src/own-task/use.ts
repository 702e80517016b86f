import { readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { ownPeakBytes } from '../workloads/own-use.ts';

/** Use of the processor by this process, the processes below it, and the machine, up to now. */
export interface Use {
  readonly at: number;
  /** Processor time of this process, all of its threads, and the processes that it started, ended ones too; ms. */
  readonly cpuMs: number;
  /** Processor time of the machine since its start, by anybody, and in all; ms. */
  readonly machine: { readonly busyMs: number; readonly allMs: number };
  /** Time in which the event loop was busy since its start, ms. */
  readonly loopMs: number;
}

export function useNow(): Use {
  const { user, system } = process.cpuUsage();
  const below = descendants().reduce((sum, { cpuMs }) => sum + cpuMs, 0);
  const cpuMs = (user + system) / 1_000 + below + endedChildrenMs();
  const { active } = performance.eventLoopUtilization();
  return { at: performance.now(), cpuMs, machine: machineNow(), loopMs: active };
}

/** Most memory that this process had, and that the processes below it have had which still run. */
export function peakMemoryMb(): number {
  const bytes = descendants().reduce((sum, { peakBytes }) => sum + peakBytes, ownPeakBytes());
  return bytes / 2 ** 20;
}

function machineNow(): Use['machine'] {
  let [busyMs, allMs] = [0, 0];
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.irq + times.idle;
    busyMs += all - times.idle;
    allMs += all;
  }
  return { busyMs, allMs };
}

interface Process {
  readonly cpuMs: number;
  readonly peakBytes: number;
}

/** Only Linux says. */
function descendants(pid: number | 'self' = 'self'): Process[] {
  return childrenOf(pid).flatMap((child) => {
    const text = read(`/proc/${child}/stat`);
    if (text === null) return [];
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${child}/status`) ?? '')?.[1] ?? 0;
    const times = timesIn(text);
    const own = { cpuMs: times.own + times.ended, peakBytes: Number(kilobytes) * 1_024 };
    return [own, ...descendants(child)];
  });
}

function childrenOf(pid: number | 'self'): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const lists = threads.map((thread) => read(`/proc/${pid}/task/${thread}/children`) ?? '');
    return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

function endedChildrenMs(): number {
  const text = read('/proc/self/stat');
  return text === null ? 0 : timesIn(text).ended;
}

/** proc(5): fields 14 to 17, in ticks of 10 ms; the name, field 2, may hold spaces. */
function timesIn(stat: string): { readonly own: number; readonly ended: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = (field: number): number => Number(fields[field - 3] ?? 0);
  return { own: (ticks(14) + ticks(15)) * TICK_MS, ended: (ticks(16) + ticks(17)) * TICK_MS };
}

const TICK_MS = 10;

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
