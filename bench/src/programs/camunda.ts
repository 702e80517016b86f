import { randomUUID } from 'node:crypto';
import { type AnyTask, defineTask } from '../longshore.ts';
import { camundaWorker, checkedOptions, type Rest, restOf } from '../longshore-camunda.ts';
import { watchLoop } from '../loop-delay.ts';
import { monotonicMs } from '../pacer.ts';
import { program } from '../program.ts';
import type { LaneChoice } from '../scenarios/scenario.ts';
import { round } from '../spread.ts';
import { CATALOGUE } from '../workloads/catalogue.ts';
import type { WorkInput } from '../workloads/job-run.ts';
import { ownPeakBytes } from '../workloads/own-use.ts';
import type { JobEnd, ScenarioSettings, WorkReport } from './scenario.ts';

/**
 * One repeat of a scenario on a cluster of Camunda 8: an instance of a process with one service task for each job, and one worker.
 * The cluster says how each ended.
 */
export interface CamundaSettings extends ScenarioSettings {
  /** Longest time that an instance may take. */
  readonly waitMs: number;
}

export interface CamundaReport extends WorkReport {
  /** Acknowledgements that the cluster refused, locks it said are gone, polls without an answer. */
  readonly counts: { readonly stale: number; readonly locksLost: number; readonly pollsLost: number };
}

program<CamundaSettings, CamundaReport>(async (settings) => {
  const { url, amounts, strategy, concurrency, waitMs, folder } = settings;
  const type = `longshore-bench-${randomUUID()}`;
  const jobTypes = { [type]: { task: taskOf(settings), into: 'outcome' } };
  const worker = camundaWorker({ url, jobTypes, strategy, concurrency, logger: false });
  const rest = restOf(checkedOptions({ url, jobTypes }), { socketsMax: amounts.length });
  try {
    await rest.call('POST', '/deployments', { body: deployment(type) });
    const choices: LaneChoice[] = [];
    worker.runner.on('task.strategyChosen', ({ lane, reason }) => {
      choices.push({ atSeconds: round((monotonicMs() - startedAt) / 1_000), lane, reason });
    });
    const endLoop = await watchLoop();
    const bytesBefore = process.memoryUsage.rss();
    const cpu = process.cpuUsage();
    const startedAt = monotonicMs();
    const instances = amounts.map((amount, n) =>
      endOf(rest, type, { n, amount, folder, workerPid: process.pid }, waitMs),
    );
    await worker.start();
    const jobs = await Promise.all(instances);
    const finishedAt = monotonicMs();
    const { user, system } = process.cpuUsage(cpu);
    const eventLoopDelayMs = endLoop();
    await worker.stop();
    const { stale, locksLost, pollsLost } = worker.counts;
    return {
      ...{ startedAt, finishedAt, jobs, choices, bytesBefore, eventLoopDelayMs },
      lost: stale + locksLost,
      cpuMicros: user + system,
      peakBytes: ownPeakBytes(),
      counts: { stale, locksLost, pollsLost },
    };
  } finally {
    await worker.stop({ graceMs: 0 });
    rest.close();
  }
});

function taskOf({ workload, jobTimeoutMs }: CamundaSettings): AnyTask {
  const { name, run, module } = CATALOGUE[workload].task;
  return defineTask({ name, run, module: module as string, timeoutMs: jobTimeoutMs });
}

/** A process of one service task, whose only retry is its first attempt. */
function deployment(type: string): FormData {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0"
  id="definitions" targetNamespace="http://bpmn.io/schema/bpmn">
  <bpmn:process id="${type}" isExecutable="true">
    <bpmn:startEvent id="start" />
    <bpmn:serviceTask id="work">
      <bpmn:extensionElements><zeebe:taskDefinition type="${type}" retries="1" /></bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:endEvent id="end" />
    <bpmn:sequenceFlow id="begin" sourceRef="start" targetRef="work" />
    <bpmn:sequenceFlow id="finish" sourceRef="work" targetRef="end" />
  </bpmn:process>
</bpmn:definitions>`;
  const form = new FormData();
  form.append('resources', new File([xml], `${type}.bpmn`, { type: 'application/xml' }));
  return form;
}

/** Starts an instance; resolves when it has ended. */
async function endOf(rest: Rest, type: string, input: WorkInput, waitMs: number): Promise<JobEnd> {
  const body = { processDefinitionId: type, variables: input, awaitCompletion: true, requestTimeout: waitMs };
  try {
    const instance = (await rest.call('POST', '/process-instances', { body, waitMs })) as {
      variables?: { outcome?: unknown };
    } | null;
    return { state: 'completed', result: instance?.variables?.outcome ?? null, error: null };
  } catch (error) {
    return { state: 'failed', result: null, error: String(error) };
  }
}
