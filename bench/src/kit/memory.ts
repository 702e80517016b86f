import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { builtProgram } from '../built.ts';
import { makeInputs } from '../inputs.ts';
import { type Evidence, requireExactlyOnce } from '../ledger.ts';
import { connect } from '../longshore.ts';
import { inFreshPlace } from '../open-site.ts';
import type { BusyMemory, IdleMemory } from '../programs/resident.ts';
import { withoutSettings } from '../runner.ts';
import { round } from '../spread.ts';
import { countJobs } from '../workload.ts';
import type { Trial, TrialContext } from './trial.ts';

/**
 * The memory of a worker's process, of the package as it is published: Node with nothing in it, a worker that waits, and the
 * most while it works off jobs that another process sends.
 */
export const workerMemory: Trial = async (settings, context) => {
  const jobs = settings.number('jobs');
  const file = await built(context);
  const node = await bareNode(context.signal);
  const site = await context.site(settings.store);
  return inFreshPlace(site, async ({ url }) => {
    const idleMs = 1_000 * settings.number('idleSeconds', 3);
    const { idle, busy, counts } = await worker(file, { url, idleMs, jobs, signal: context.signal });
    const { missing, repeated } = falsified(busy, context);
    const ledger = { jobs, missing, repeated, strangers: 0, examples: { missing: [], repeated: [] } };
    requireExactlyOnce('the worker', jobs, { ledger, counts } satisfies Evidence);
    const mb = (bytes: number): number => round(bytes / 2 ** 20);
    return {
      figures: {
        nodeMb: mb(node.residentBytes),
        idleMb: mb(idle.residentBytes),
        idleAddedMb: mb(idle.residentBytes - node.residentBytes),
        ...(idle.ownBytes === null || node.ownBytes === null
          ? {}
          : { idleAddedOwnMb: mb(idle.ownBytes - node.ownBytes) }),
        processingMb: mb(Math.max(busy.mostBytes, idle.residentBytes)),
      },
    };
  });
};

function falsified(busy: BusyMemory, { sabotage }: TrialContext): Pick<BusyMemory, 'missing' | 'repeated'> {
  if (sabotage === null) return busy;
  return sabotage === 'lost' ? { missing: 1, repeated: 0 } : { missing: 0, repeated: 1 };
}

interface WorkerOptions {
  readonly url: string;
  readonly idleMs: number;
  readonly jobs: number;
  readonly signal: AbortSignal;
}

async function worker(
  file: string,
  { url, idleMs, jobs, signal }: WorkerOptions,
): Promise<{ idle: IdleMemory; busy: BusyMemory; counts: Record<string, number> }> {
  const longshore = await connect(url);
  const options = { signal, stdio: ['ignore', 'pipe', 'inherit'] as 'pipe'[], env: environment() };
  const child = spawn(process.execPath, [file, url, String(idleMs), String(jobs)], options);
  const ended = once(child, 'close');
  // An abort rejects it while lines are read.
  ended.catch(() => undefined);
  try {
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    const line = async <T>(): Promise<T> => {
      const { value, done } = await lines.next();
      if (done === true) throw new Error('The worker whose memory is measured ended too early.');
      return JSON.parse(value) as T;
    };
    const idle = await line<IdleMemory>();
    const inputs = makeInputs(jobs, 10);
    for (let at = 0; at < jobs; at += 500) await longshore.enqueueMany('noop', inputs.slice(at, at + 500));
    const busy = await line<BusyMemory>();
    await ended;
    return { idle, busy, counts: await countJobs(longshore) };
  } finally {
    child.kill('SIGKILL');
    await longshore.close();
  }
}

/**
 * Node with nothing in it. No file: from the length of its path alone Node takes up to 2 MB more, since it compiles for
 * speed what looks at each character of it.
 */
async function bareNode(signal: AbortSignal): Promise<IdleMemory> {
  const program = `await new Promise((resolve) => setTimeout(resolve, 1000));
    const residentBytes = process.memoryUsage.rss();
    const { readFileSync, writeSync } = process.getBuiltinModule('node:fs');
    const status = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '';
    const kib = /^RssAnon:\\s+(\\d+)/m.exec(status)?.[1];
    writeSync(1, JSON.stringify({ residentBytes, ownBytes: kib === undefined ? null : Number(kib) * 1024 }));`;
  const options = { signal, timeout: 60_000, env: environment() };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    options,
  );
  return JSON.parse(stdout) as IdleMemory;
}

/** As a user's process: no cache of compiled code, as this one has. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: _cache, NODE_OPTIONS: _options, ...env } = withoutSettings(process.env);
  return env;
}

/** Built once for each measurement. */
function built({ workspace, progress }: TrialContext): Promise<string> {
  const { folder } = workspace;
  const file = BUILT.get(folder) ?? builtProgram('resident', folder);
  if (!BUILT.has(folder)) progress.note('building the package …');
  BUILT.set(folder, file);
  return file;
}

const BUILT = new Map<string, Promise<string>>();
