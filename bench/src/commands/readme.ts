import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { neighbour } from '../neighbours.ts';
import { Progress } from '../progress.ts';
import { Recorded } from '../readme/recorded.ts';
import { figureTables } from '../readme/tables.ts';
import { installRivals } from '../rivals.ts';

/**
 * Tables and charts of the README, from recorded documents: of each command the newest. The charts are drawn by
 * bench/charts, for what that needs is no dependency of Longshore.
 */
export async function readme(): Promise<void> {
  const [results, page] = [neighbour('bench/results'), neighbour('README.md')];
  writeFileSync(page, withTables(readFileSync(page, 'utf8'), new Recorded(results)));
  await installRivals(new Progress());
  const arguments_ = [results, neighbour('docs/charts')];
  const child = fork(neighbour('bench/charts/draw.mjs'), arguments_, { stdio: ['ignore', 1, 2, 'ipc'] });
  const [code] = await once(child, 'close');
  if (code !== 0) process.exitCode = 1;
}

/** The page with its tables as they are to be. Throws where it has no place for them. */
export function withTables(page: string, recorded: Recorded): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined)
    throw new Error(`The page lacks the line ${BEGIN} or ${END}.`);
  return `${before}${BEGIN}\n\n${figureTables(recorded)}\n\n${END}${after}`;
}

const BEGIN = '<!-- figures: npm run -s bench -- readme -->';
const END = '<!-- end of figures -->';
