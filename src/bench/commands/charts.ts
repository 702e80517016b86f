import { fork } from 'node:child_process';
import { once } from 'node:events';
import { neighbour } from '../neighbours.ts';
import { Progress } from '../progress.ts';
import { installRivals } from '../rivals.ts';

/**
 * The charts of the README, drawn from recorded documents: of each command the newest. The drawing is bench/charts, for
 * what it needs is no dependency of Longshore.
 */
export async function charts({ results, output }: { results?: string; output?: string }): Promise<void> {
  await installRivals(new Progress());
  const folders = [results ?? neighbour('bench/results'), output ?? neighbour('docs/charts')];
  const child = fork(neighbour('bench/charts/draw.mjs'), folders, { stdio: ['ignore', 1, 2, 'ipc'] });
  const [code] = await once(child, 'close');
  if (code !== 0) process.exitCode = 1;
}
