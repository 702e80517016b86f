import type { TestContext } from 'node:test';
import type { CamundaOptions, JobType } from '../../src/connectors/camunda/index.ts';
import { type CamundaWorker, camundaWorker } from '../../src/connectors/camunda/index.ts';
import type { AnyTask } from '../../src/index.ts';
import { sequence, type Task } from './processes.ts';
import { Simulator, type SimulatorOptions } from './simulator/server.ts';

/** A simulator for one test. */
export async function simulatorFor(t: TestContext, options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await new Simulator(options).listen();
  t.after(() => simulator.close());
  return simulator;
}

/** A worker that the test's end stops, which asks for jobs. */
export async function started(
  t: TestContext,
  simulator: { readonly url: string },
  jobTypes: Readonly<Record<string, AnyTask | JobType>>,
  options: Partial<CamundaOptions> = {},
): Promise<CamundaWorker> {
  const worker = camundaWorker({ url: simulator.url, jobTypes, logger: false, pollMs: 200, ...options });
  t.after(() => worker.stop({ graceMs: 0 }));
  await worker.start();
  return worker;
}

/** Deploys a process of service tasks and starts instances of it, behind the back of the API. */
export function begin(
  simulator: Simulator,
  tasks: readonly Task[],
  variables: readonly Record<string, unknown>[] = [{}],
): string[] {
  const { process } = simulator.engine.deploy('trial.bpmn', sequence('trial', ...tasks));
  return variables.map(
    (one) =>
      simulator.engine.create({
        processId: process.id,
        variables: { ...one },
        tenantId: '<default>',
        tags: [],
      }).key,
  );
}

/** Resolves when that many jobs are completed. */
export async function completions(simulator: Simulator, count: number): Promise<void> {
  await simulator.called(({ path }) => path.endsWith('/completion'), count);
}
