import { randomUUID } from 'node:crypto';
import { neighbour } from '../neighbours.ts';
import { start } from '../runner.ts';
import type { EngineBench, EngineWorkerRun, EngineWorkerSettings, Side } from './engine.ts';

/** A worker's process that is ready. */
export interface Started {
  readonly queue: string;
  /** What counts begins, and ends. */
  begin(): Promise<void>;
  measure(): Promise<void>;
  stop(): Promise<EngineWorkerRun>;
  /** Rejects when the process ends by itself. */
  readonly failure: Promise<never>;
  kill(): void;
}

interface WorkerSettings extends Pick<EngineWorkerSettings, 'engine' | 'targetCpu'> {
  readonly blockSeconds: number;
}

export interface WorkerStart {
  /** Null: its tuner decides. */
  readonly slots: number | null;
  /** What is to be done to its queue before it starts. */
  readonly before?: (queue: string) => Promise<void>;
}

export async function startWorker(
  { engine, targetCpu }: WorkerSettings,
  side: Side,
  { slots, before }: WorkerStart,
  { load, signal }: EngineBench,
): Promise<Started> {
  const queue = `bench-${randomUUID().slice(0, 8)}`;
  await load.prepare(queue);
  await before?.(queue);
  const killing = new AbortController();
  const settings: EngineWorkerSettings = { engine, url: load.url, queue, slots, targetCpu, lockMs: LOCK_MS };
  const program = start<EngineWorkerRun>('engine-worker', settings, {
    timeoutMs: TIMEOUT_MS,
    signal: AbortSignal.any([signal, killing.signal]),
    ...(side === 'own' ? { file: neighbour(`bench/rivals/engines/${engine}.mjs`) } : {}),
  });
  const failure = program.result.then(() => new Promise<never>(() => undefined));
  failure.catch(() => undefined);
  void follow(program.heard, load.heardEnds);
  await program.heard('ready');
  const ask = async (word: string, answer: string): Promise<void> => {
    program.tell(word);
    await program.heard(answer);
  };
  return {
    queue,
    begin: () => ask('begin', 'began'),
    measure: () => ask('measure', 'measured'),
    stop() {
      program.tell('stop');
      return program.result;
    },
    failure,
    kill: () => killing.abort(new Error('the measurement is over')),
  };
}

/** An activity that blocks has a heartbeat timeout as long. */
const LOCK_MS = 5_000;
const TIMEOUT_MS = 600_000;

async function follow(
  heard: (name: string) => Promise<unknown>,
  tell: (keys: readonly string[]) => void,
): Promise<void> {
  try {
    for (let batch = 0; ; batch += 1) tell((await heard(`ended-${batch}`)) as string[]);
  } catch {
    // The program ended.
  }
}
