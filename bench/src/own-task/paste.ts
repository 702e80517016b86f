import { type CellFigures, PREFETCH_DEFAULT } from './cell.ts';

/** The recommended settings, ready to be pasted. Names are those of WorkerSettings. */
export interface Pasted {
  readonly settings: Readonly<Record<string, string | number>>;
  /** For the program that starts the worker. */
  readonly code: string;
  /** For a shell. */
  readonly shell: string;
}

export function pasted(chosen: CellFigures, prefetchMax: number, file: string): Pasted {
  const { strategy, concurrency, hosts, jobsPerHost } = chosen;
  const settings = {
    strategy,
    concurrency,
    ...(strategy === 'thread' ? { threads: hosts } : {}),
    ...(strategy === 'process' ? { processes: hosts } : {}),
    ...(strategy !== 'async' && jobsPerHost > 1 ? { jobsPerHost } : {}),
    ...(prefetchMax === PREFETCH_DEFAULT ? {} : { prefetchMax }),
  };
  const fields = Object.entries(settings).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : value}`,
  );
  const flags = Object.entries(settings).flatMap(([name, value]) =>
    name in FLAGS ? [`${FLAGS[name]} ${value}`] : [],
  );
  const variable = 'jobsPerHost' in settings ? `LONGSHORE_JOBS_PER_HOST=${jobsPerHost} ` : '';
  return {
    settings,
    code: `longshore.worker({ tasks, ${fields.join(', ')} });`,
    shell: `${variable}longshore work --tasks ${quoted(file)} ${flags.join(' ')}`,
  };
}

const FLAGS: Readonly<Record<string, string>> = {
  strategy: '--strategy',
  concurrency: '--concurrency',
  threads: '--threads',
  processes: '--processes',
  prefetchMax: '--prefetch',
};

function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
