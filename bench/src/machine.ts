import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { VERSION } from './longshore.ts';

/** What a figure depends on besides the code. Figures of unlike machines are not compared. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly node: string;
  readonly platform: string;
  /** Of the folder with the measured files; null where the platform does not say. */
  readonly filesystem: string | null;
  /** One-minute load average before the measurement; 0 where the platform has none. Near 0 on a quiet machine. */
  readonly loadBefore: number;
  readonly longshore: string;
  /** Null outside of a git checkout. */
  readonly commit: string | null;
  /** Whether the sources differ from the commit. */
  readonly dirty: boolean | null;
}

export function describeMachine(folder: string): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryMb: Math.round(totalmem() / 2 ** 20),
    node: process.version,
    platform: `${platform()} ${release()} ${arch()}`,
    filesystem: filesystemOf(folder),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 100) / 100,
    longshore: VERSION,
    ...revision(),
  };
}

/** Magic numbers of statfs(2). */
const FILESYSTEMS = new Map([
  [0xef53, 'ext4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x2fc12fc1, 'zfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0x65735546, 'fuse'],
]);

function filesystemOf(folder: string): string | null {
  if (platform() !== 'linux') return null;
  const { type } = statfsSync(folder);
  return FILESYSTEMS.get(type) ?? `0x${type.toString(16)}`;
}

function revision(): Pick<Machine, 'commit' | 'dirty'> {
  try {
    const cwd = fileURLToPath(new URL('.', import.meta.url));
    const git = (...args: string[]): string =>
      execFileSync('git', args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    const root = git('rev-parse', '--show-toplevel');
    const changed = git('-C', root, 'status', '--porcelain', '--', 'src', 'bench/src', 'package.json');
    return { commit: git('rev-parse', 'HEAD'), dirty: changed !== '' };
  } catch {
    return { commit: null, dirty: null };
  }
}
