import os from 'node:os';
import type { MachineFiles } from './machine-files.ts';
import type { Gauge } from './sensor.ts';

/**
 * The whole machine, for processes that no control group limits. What others use counts too, since it is not there for
 * us. Linux tells it in /proc (man 5 proc), other systems through Node.
 */
export interface Host {
  readonly cpu: Gauge;
  readonly memory: Gauge;
  /** Processors that this process may run on. */
  readonly cores: number;
  readonly bytes: number;
}

/** Null where there is no such /proc. */
export function linuxHost(files: MachineFiles): Host | null {
  if (files.textIfAny('/proc/meminfo')?.includes('MemAvailable:') !== true) return null;
  if (files.textIfAny('/proc/stat')?.startsWith('cpu') !== true) return null;
  const allowed = allowedCpus(files);
  const bytes = files.number('/proc/meminfo', 'MemTotal') * 1_024;
  return host({
    cores: linuxTimes(files, allowed).cpus,
    bytes,
    times: () => linuxTimes(files, allowed),
    // Not "free": the kernel fills what is free with pages of files, and gives them back when somebody wants memory.
    free: () => files.number('/proc/meminfo', 'MemAvailable') * 1_024,
  });
}

/** Anywhere. On macOS, free memory leaves out what could be freed, so that memory looks fuller than it is. */
export function portableHost(): Host {
  return host({
    cores: os.availableParallelism(),
    bytes: os.totalmem(),
    times: portableTimes,
    free: () => os.freemem(),
  });
}

/** Since the machine started, of all processors, in whatever unit. */
interface Times {
  readonly cpus: number;
  readonly busy: number;
  readonly all: number;
}

interface Readers {
  readonly cores: number;
  readonly bytes: number;
  readonly times: () => Times;
  readonly free: () => number;
}

function host({ cores, bytes, times, free }: Readers): Host {
  let before = times();
  let use = 0;
  return {
    cores,
    bytes,
    cpu: {
      name: `the machine (${cores} cores)`,
      read() {
        const now = times();
        // Counted in ticks of 10 ms: too little time has passed where there is none.
        if (now.all <= before.all) return use;
        use = (now.busy - before.busy) / (now.all - before.all);
        before = now;
        return use;
      },
    },
    memory: { name: `the machine (${Math.round(bytes / 1_048_576)} MiB)`, read: () => 1 - free() / bytes },
  };
}

/** `cpu0 user nice system idle iowait irq softirq steal guest guest_nice`: guests are in user already; stolen time is not there for us. */
function linuxTimes(files: MachineFiles, allowed: ReadonlySet<number> | null): Times {
  let [cpus, busy, all] = [0, 0, 0];
  for (const line of files.text('/proc/stat').split('\n')) {
    const [, cpu, numbers] = /^cpu(\d+) (.*)/.exec(line) ?? [];
    if (cpu === undefined || numbers === undefined || allowed?.has(Number(cpu)) === false) continue;
    const ticks = numbers.split(' ').slice(0, 8).map(Number);
    const sum = ticks.reduce((total, tick) => total + tick, 0);
    cpus += 1;
    all += sum;
    busy += sum - (ticks[3] ?? 0) - (ticks[4] ?? 0);
  }
  if (cpus === 0) throw new Error('/proc/stat names none of the processors this process may use');
  return { cpus, busy, all };
}

function portableTimes(): Times {
  let [busy, all] = [0, 0];
  const cpus = os.cpus();
  for (const { times } of cpus) {
    const sum = times.user + times.nice + times.sys + times.idle + times.irq;
    all += sum;
    busy += sum - times.idle;
  }
  return { cpus: cpus.length, busy, all };
}

/** From a list such as `0-3,8`; null: not told, so all. */
function allowedCpus(files: MachineFiles): ReadonlySet<number> | null {
  const list = /^Cpus_allowed_list:\s*([\d,-]+)/m.exec(files.textIfAny('/proc/self/status') ?? '')?.[1];
  if (list === undefined) return null;
  const cpus = list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return new Set(cpus);
}
