import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { block, compute, echo } from '../engines/temporal-tasks.ts';
import { compute as calculate, block as hold } from '../engines/work-units.ts';
import { temporalWorker } from '../longshore-temporal.ts';
import { type Parent, program } from '../program.ts';

/** A worker of Temporal with the defaults of its maker: the SDK's own, or Longshore's. */
export interface TemporalWorkerSettings {
  readonly side: 'own' | 'ours';
  readonly address: string;
  readonly taskQueue: string;
}

export interface TemporalWorkerRun {
  /** Processor time of all threads while it polled. */
  readonly cpuMs: number;
}

const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
const WORKFLOWS = fileURLToPath(new URL(`../engines/temporal-workflows${EXTENSION}`, import.meta.url));

program<TemporalWorkerSettings, TemporalWorkerRun>(async (settings, parent) => {
  Runtime.install({ shutdownSignals: [], logger: new DefaultLogger('ERROR') });
  return settings.side === 'own' ? own(settings, parent) : ours(settings, parent);
});

async function own(
  { address, taskQueue }: TemporalWorkerSettings,
  parent: Parent,
): Promise<TemporalWorkerRun> {
  const connection = await NativeConnection.connect({ address });
  const worker = await Worker.create({
    connection,
    taskQueue,
    workflowsPath: WORKFLOWS,
    activities: {
      echo: async (message: string) => message,
      block: async (ms: number) => hold(ms),
      compute: async (steps: number) => calculate(steps),
    },
  });
  const running = worker.run();
  const used = await untilStopped(parent);
  worker.shutdown();
  await running;
  await connection.close();
  return used;
}

async function ours(
  { address, taskQueue }: TemporalWorkerSettings,
  parent: Parent,
): Promise<TemporalWorkerRun> {
  const worker = temporalWorker({
    connection: { address },
    taskQueue,
    workflowsPath: WORKFLOWS,
    activities: { echo, block, compute },
    abortGraceMs: 500,
    logger: false,
  });
  await worker.start();
  const used = await untilStopped(parent);
  await worker.stop();
  return used;
}

async function untilStopped(parent: Parent): Promise<TemporalWorkerRun> {
  const before = process.cpuUsage();
  parent.say('polls');
  await parent.told('stop');
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000 };
}
