import type { MachineFiles } from './machine-files.ts';
import { type Gauge, UseMeter } from './sensor.ts';

/**
 * Control groups of Linux, which is what containers are made of. Version 2: the kernel's admin-guide/cgroup-v2; version
 * 1: its cgroup-v1/memory, cgroup-v1/cpuacct and scheduler/sched-bwc. A process may use what its own group's limit
 * allows and those of all groups above; of these, the one that is used up most counts.
 *
 * Memory is counted without `inactive_file`, as Kubernetes counts a working set: pages of files that nobody touched for
 * a while, which the kernel drops before it kills anything. Pages of files in use stay counted: to drop them costs.
 */

/** Null where no group limits the processor below `cores`. */
export function cgroupCpu(files: MachineFiles, now: () => number, cores: number): Gauge | null {
  const groups = groupsOf(files, 'cpu');
  const limits = (): Limited[] => limited(groups, (group) => coresOf(files, group), cores);
  const meters = new Map<string, UseMeter>();
  const use = ({ group, limit }: Limited): number => {
    const [usedMs, atMs] = [usedMsOf(files, group), now()];
    const meter = meters.get(group.folder) ?? new UseMeter(usedMs, atMs);
    meters.set(group.folder, meter);
    return meter.use(usedMs, atMs, limit);
  };
  return gauge(limits, use, (limit) => `${Number(limit.toFixed(2))} cores`);
}

/** Null where no group limits memory below `bytes`. */
export function cgroupMemory(files: MachineFiles, bytes: number): Gauge | null {
  const groups = groupsOf(files, 'memory');
  const limits = (): Limited[] => limited(groups, (group) => bytesMaxOf(files, group), bytes);
  const use = ({ group, limit }: Limited): number => workingSetOf(files, group) / limit;
  return gauge(limits, use, (limit) => `${Math.round(limit / 1_048_576)} MiB`);
}

interface Group {
  readonly version: 1 | 2;
  /** Of its files. */
  readonly folder: string;
  /** Version 1 may count processor time elsewhere. */
  readonly countsIn: string;
}

interface Limited {
  readonly group: Group;
  readonly limit: number;
}

/** Limits change seldom; they are read again after so many samples. */
const LIMITS_EVERY = 50;

function gauge(
  limits: () => Limited[],
  use: (limited: Limited) => number,
  text: (limit: number) => string,
): Gauge | null {
  let current = limits();
  const [first] = current;
  if (first === undefined) return null;
  // The first look of a meter is what the next one is compared with, and a file that cannot be read shows at once.
  for (const group of current) use(group);
  const tightest = Math.min(...current.map(({ limit }) => limit));
  let reads = 0;
  return {
    name: `cgroup v${first.group.version} (${text(tightest)})`,
    read() {
      reads += 1;
      if (reads % LIMITS_EVERY === 0) current = limits();
      return Math.max(0, ...current.map(use));
    },
  };
}

function limited(groups: readonly Group[], limitOf: (group: Group) => number, all: number): Limited[] {
  return groups.map((group) => ({ group, limit: limitOf(group) })).filter(({ limit }) => limit < all);
}

const MOUNT = '/sys/fs/cgroup';

/** The group of this process and those above it, for one resource; none where the system has no such groups. */
function groupsOf(files: MachineFiles, resource: 'cpu' | 'memory'): Group[] {
  const lines = (files.textIfAny('/proc/self/cgroup') ?? '').split('\n').map((line) => line.split(':'));
  const own = lines.find(([, names]) => names?.split(',').includes(resource));
  const version = own === undefined ? 2 : 1;
  const path = (own ?? lines.find(([id]) => id === '0'))?.slice(2).join(':');
  if (path === undefined) return [];
  const mounts =
    version === 1 ? [`${MOUNT}/${resource}`, `${MOUNT}/cpu,cpuacct`] : [MOUNT, `${MOUNT}/unified`];
  const mount = mounts.find((folder) => files.textIfAny(`${folder}/cgroup.procs`) !== null);
  if (mount === undefined) return [];
  const accounts = `${MOUNT}/cpuacct`;
  const counts = version === 1 && files.textIfAny(`${accounts}/cpuacct.usage`) !== null ? accounts : mount;
  return (
    pathsUp(path)
      // Inside a container the path may be the host's, while the mount shows the container's own group as its root.
      .filter((group) => files.textIfAny(`${mount}${group}/cgroup.procs`) !== null)
      .map((group) => ({ version, folder: mount + group, countsIn: counts + group }))
  );
}

/** `/a/b` -> `/a/b`, `/a`, and the root as ''. */
function pathsUp(path: string): string[] {
  const parts = path.split('/').filter((part) => part !== '' && part !== '..');
  return [...parts.keys(), parts.length].reverse().map((count) => ['', ...parts.slice(0, count)].join('/'));
}

function coresOf(files: MachineFiles, { version, folder }: Group): number {
  if (version === 1) {
    const quota = Number(files.textIfAny(`${folder}/cpu.cfs_quota_us`) ?? -1);
    const period = Number(files.textIfAny(`${folder}/cpu.cfs_period_us`) ?? 0);
    return quota > 0 && period > 0 ? quota / period : Number.POSITIVE_INFINITY;
  }
  const [quota, period] = (files.textIfAny(`${folder}/cpu.max`) ?? 'max').trim().split(' ').map(Number);
  const cores = Number(quota) / Number(period ?? 100_000);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function usedMsOf(files: MachineFiles, { version, folder, countsIn }: Group): number {
  return version === 1
    ? files.number(`${countsIn}/cpuacct.usage`) / 1_000_000
    : files.number(`${folder}/cpu.stat`, 'usage_usec') / 1_000;
}

/** Version 1 says "no limit" with a number near 2^63, which is more than any machine has. */
function bytesMaxOf(files: MachineFiles, { version, folder }: Group): number {
  const names = version === 1 ? ['memory.limit_in_bytes'] : ['memory.max', 'memory.high'];
  const limits = names.map((name) => Number(files.textIfAny(`${folder}/${name}`) ?? Number.NaN));
  return Math.min(...limits.map((limit) => (limit > 0 ? limit : Number.POSITIVE_INFINITY)));
}

function workingSetOf(files: MachineFiles, { version, folder }: Group): number {
  const [current, inactive] =
    version === 1 ? ['memory.usage_in_bytes', 'total_inactive_file'] : ['memory.current', 'inactive_file'];
  const bytes = files.number(`${folder}/${current}`) - files.number(`${folder}/memory.stat`, inactive);
  return Math.max(0, bytes);
}
