import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import type { BareSettings } from '../programs/bare-compute.ts';
import type { TemporalWorkerRun, TemporalWorkerSettings } from '../programs/temporal-worker.ts';
import { run, start } from '../runner.ts';
import { stepsIn } from './work-units.ts';

/** One side on a server: its worker in a process of its own, load from here. */
export type Side = 'own' | 'ours';

export interface EchoRun {
  readonly workflowsPerSecond: number;
  readonly p95Ms: number;
  readonly cpuMsPerWorkflow: number;
}

export interface BlockedRun {
  /** Whether the activity that blocks completed. */
  readonly completed: boolean;
  readonly neighbours: number;
  readonly neighboursP95Ms: number;
}

export interface Stage {
  readonly address: string;
  readonly client: Client;
  readonly signal: AbortSignal;
  close(): Promise<void>;
}

export async function openStage(address: string, signal: AbortSignal): Promise<Stage> {
  const connection = await Connection.connect({ address });
  return { address, client: new Client({ connection }), signal, close: () => connection.close() };
}

/** Runs `body` while a worker of this side polls a task queue of its own. */
export async function withWorker<Result>(
  { address, signal }: Stage,
  side: Side,
  body: (taskQueue: string) => Promise<Result>,
): Promise<{ readonly result: Result; readonly cpuMs: number }> {
  const taskQueue = `${side}-${randomUUID()}`;
  const settings: TemporalWorkerSettings = { side, address, taskQueue };
  const worker = start<TemporalWorkerRun>('temporal-worker', settings, { timeoutMs: 900_000, signal });
  await worker.heard('polls');
  const result = await body(taskQueue);
  worker.tell('stop');
  return { result, cpuMs: (await worker.result).cpuMs };
}

/** EchoWorkflow with two activities, so many at a time, after some that are not counted. */
export async function echoes(stage: Stage, side: Side, count: number, atOnce: number): Promise<EchoRun> {
  const { result, cpuMs } = await withWorker(stage, side, async (taskQueue) => {
    await echo(stage, taskQueue, Math.ceil(count / 5), atOnce);
    return echo(stage, taskQueue, count, atOnce);
  });
  return {
    workflowsPerSecond: (1_000 * count) / result.tookMs,
    p95Ms: percentile(result.latencies, 0.95),
    cpuMsPerWorkflow: cpuMs / (count + Math.ceil(count / 5)),
  };
}

async function echo(
  stage: Stage,
  taskQueue: string,
  count: number,
  atOnce: number,
): Promise<{ readonly tookMs: number; readonly latencies: readonly number[] }> {
  const latencies: number[] = [];
  let next = 0;
  const began = performance.now();
  const lane = async (): Promise<void> => {
    while (next++ < count)
      latencies.push(await timed(() => execute(stage, taskQueue, 'EchoWorkflow', 'hello', 2)));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return { tookMs: performance.now() - began, latencies };
}

/** An activity that computes for longer than its heartbeat timeout, and short workflows meanwhile. */
export async function blocked(stage: Stage, side: Side, ms: number): Promise<BlockedRun> {
  const { result } = await withWorker(stage, side, async (taskQueue) => {
    await execute(stage, taskQueue, 'EchoWorkflow', 'warm', 1);
    let ended = false;
    const blocking = execute(stage, taskQueue, 'blockFor', ms)
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        ended = true;
      });
    const latencies: number[] = [];
    while (!ended) latencies.push(await timed(() => execute(stage, taskQueue, 'EchoWorkflow', 'hello', 1)));
    return {
      completed: await blocking,
      neighbours: latencies.length,
      neighboursP95Ms: percentile(latencies, 0.95),
    };
  });
  return result;
}

/** From a cancel of the workflow to its end, ms: by then the code of its activity, which listens to nothing, is stopped. */
export async function cancelled(stage: Stage): Promise<number> {
  const { result } = await withWorker(stage, 'ours', async (taskQueue) => {
    await execute(stage, taskQueue, 'EchoWorkflow', 'warm', 1);
    const handle = await begin(stage, taskQueue, 'blockFor', 600_000);
    while (((await handle.describe()).raw.pendingActivities?.[0]?.lastHeartbeatTime ?? null) === null);
    return timed(async () => {
      await handle.cancel();
      await handle.result().catch(() => undefined);
    });
  });
  return result;
}

/** The time that bare processes take for so much computing, over what activities take. */
export async function cpuShare(stage: Stage, units: number, unitMs: number, cores: number): Promise<number> {
  const steps = stepsIn(unitMs);
  const settings: BareSettings = { steps, count: units / cores };
  const { signal } = stage;
  const bareMs = await timed(() =>
    Promise.all(
      Array.from({ length: cores }, () =>
        run<number>('bare-compute', settings, { timeoutMs: 600_000, signal }),
      ),
    ),
  );
  const { result: oursMs } = await withWorker(stage, 'ours', async (taskQueue) => {
    await execute(stage, taskQueue, 'computeMany', 1_000, cores);
    return timed(() => execute(stage, taskQueue, 'computeMany', steps, units));
  });
  return bareMs / oursMs;
}

function begin(
  { client }: Stage,
  taskQueue: string,
  workflow: string,
  ...args: unknown[]
): Promise<WorkflowHandle> {
  return client.workflow.start(workflow, { workflowId: randomUUID(), taskQueue, args });
}

async function execute(
  stage: Stage,
  taskQueue: string,
  workflow: string,
  ...args: unknown[]
): Promise<unknown> {
  return (await begin(stage, taskQueue, workflow, ...args)).result();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
