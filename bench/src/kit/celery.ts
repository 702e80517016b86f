import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { neighbour } from '../neighbours.ts';
import type { Progress } from '../progress.ts';
import { Skipped } from './trial.ts';

const VERSION = '5.7.0';
const FOLDER = neighbour('bench/rivals/node_modules/.celery');

/** Celery from PyPI in an environment of its own, made at first use. Throws `Skipped` where there is no Python or no network. */
export async function installCelery(
  { progress, signal }: { readonly progress: Pick<Progress, 'note'>; readonly signal: AbortSignal },
  folder = FOLDER,
): Promise<string> {
  if (existsSync(`${folder}/complete-${VERSION}`)) return VERSION;
  progress.note(`installing Celery ${VERSION} into ${folder} …`);
  const run = (file: string, ...args: string[]) =>
    promisify(execFile)(file, args, { signal, timeout: 300_000 });
  try {
    await run('python3', '-m', 'venv', folder);
    await run(`${folder}/bin/python`, '-m', 'pip', 'install', '--quiet', `celery[redis]==${VERSION}`);
    await run(`${folder}/bin/python`, '-c', `open('${folder}/complete-${VERSION}', 'w')`);
    return VERSION;
  } catch (error) {
    signal.throwIfAborted();
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new Skipped(`Celery needs python3 with venv and pip, and PyPI: ${first}`);
  }
}
