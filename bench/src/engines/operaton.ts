import { randomUUID } from 'node:crypto';
import type { Bench } from '../bench.ts';
import { loadNeighbour } from '../neighbours.ts';
import { installRivals, rivalFile } from '../rivals.ts';
import { start } from '../runner.ts';
import type { OwnServer } from '../services.ts';
import type { EnginePair, EngineRound, EngineSettings } from './engine.ts';

/**
 * Operaton: no-op external tasks by our worker and by the engine's own client, in turns on one server. First a burn-down of tasks that
 * wait; then tasks that come some at a time, for how long each takes. All times are the engine's own, out of its history.
 */
interface Services {
  startOperaton(options: { readonly build: boolean }): Promise<OwnServer>;
}

const RUN_TIMEOUT_MS = 600_000;
const SYSTEMS = ['ours', 'own'] as const;

export async function measureOperaton(
  { jobs, concurrency, repeat, url }: EngineSettings,
  bench: Bench,
): Promise<readonly EnginePair[]> {
  await installRivals(bench.progress);
  const services = await loadNeighbour<Services>('setup/services/index.mjs', 'Give the server with --url.');
  const server = url === undefined ? await services.startOperaton({ build: true }) : null;
  const engine = url ?? server?.url ?? '';
  const step = (name: string, system: (typeof SYSTEMS)[number], site: Site): Promise<EngineRound> =>
    bench.progress.step(name, () => runOne(system, site, bench));
  const runs: EnginePair[] = [];
  try {
    bench.progress.start(repeat * 2 + 1);
    // A fresh engine compiles first, which is nobody's merit.
    await step('warm-up', 'ours', { engine, jobs: Math.min(jobs, WARM_UP_JOBS), concurrency });
    for (let n = 1; n <= repeat; n += 1) {
      const order = n % 2 === 1 ? SYSTEMS : ([...SYSTEMS].reverse() as readonly (typeof SYSTEMS)[number][]);
      const round: Partial<Record<(typeof SYSTEMS)[number], EngineRound>> = {};
      for (const system of order)
        round[system] = await step(`${n}/${repeat} ${system}`, system, { engine, jobs, concurrency });
      runs.push(round as Required<typeof round>);
    }
    return runs;
  } finally {
    await server?.stop();
  }
}

const WARM_UP_JOBS = 200;

interface Site {
  readonly engine: string;
  readonly jobs: number;
  readonly concurrency: number;
}

async function runOne(
  system: (typeof SYSTEMS)[number],
  { engine, jobs, concurrency }: Site,
  bench: Bench,
): Promise<EngineRound> {
  const topic = `bench-${randomUUID().slice(0, 8)}`;
  const deployment = await deploy(engine, topic);
  await startAll(engine, topic, jobs, 8);
  const settings = { url: engine, topic, concurrency };
  const options = { timeoutMs: RUN_TIMEOUT_MS, signal: bench.signal };
  const worker =
    system === 'ours'
      ? start<unknown>('operaton-worker', settings, options)
      : start<unknown>('operaton-client', settings, { ...options, file: rivalFile('operaton-client') });
  await worker.heard('ready');
  await ended(engine, topic, jobs);
  worker.tell('burnt');
  const cpuMicros = (await worker.heard('cpu')) as number;
  const ends = (await history(engine, topic)).map(({ endTime }) => Date.parse(endTime));
  const seconds = (Math.max(...ends) - Math.min(...ends)) / 1_000;
  const before = new Set((await history(engine, topic)).map(({ id }) => id));
  const paced = Math.max(50, Math.round(jobs / 4));
  await startAll(engine, topic, paced, 2);
  await ended(engine, topic, jobs + paced);
  const times = (await history(engine, topic))
    .filter(({ id }) => !before.has(id))
    .map(({ durationInMillis }) => durationInMillis)
    .sort((one, other) => one - other);
  worker.tell('stop');
  await worker.result;
  await call(engine, 'DELETE', `/deployment/${deployment}?cascade=true`);
  return {
    perSecond: (ends.length - 1) / seconds,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? Number.NaN,
    p95Ms: times[Math.floor(times.length * 0.95)] ?? Number.NaN,
    cpuMicrosPerJob: cpuMicros / jobs,
  };
}

/** Until so many instances have ended. */
async function ended(engine: string, topic: string, wanted: number): Promise<void> {
  const query = `/history/process-instance/count?processDefinitionKey=${topic}&finished=true`;
  while ((await call<{ count: number }>(engine, 'GET', query)).count < wanted)
    await new Promise((resolve) => setTimeout(resolve, 100));
}

interface Ended {
  readonly id: string;
  readonly endTime: string;
  readonly durationInMillis: number;
}

async function history(engine: string, topic: string): Promise<readonly Ended[]> {
  const [definition] = await call<{ id: string }[]>(engine, 'GET', `/process-definition?key=${topic}`);
  const query = `processDefinitionId=${definition?.id}&activityId=work&finished=true`;
  const found = await call<Ended[]>(engine, 'GET', `/history/activity-instance?${query}`);
  return found.map((one) => ({ ...one, endTime: one.endTime.replace(/([+-]\d{2})(\d{2})$/, '$1:$2') }));
}

async function startAll(engine: string, topic: string, count: number, atATime: number): Promise<void> {
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await call(engine, 'POST', `/process-definition/key/${topic}/start`, {});
    }
  };
  await Promise.all(Array.from({ length: atATime }, one));
}

async function deploy(engine: string, topic: string): Promise<string> {
  const form = new FormData();
  form.set('deployment-name', topic);
  form.set('process.bpmn', new File([model(topic)], 'process.bpmn'));
  const response = await fetch(`${engine}/deployment/create`, { method: 'POST', body: form });
  if (!response.ok) throw new Error(await response.text());
  return ((await response.json()) as { id: string }).id;
}

async function call<Answer>(engine: string, method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(engine + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return (text === '' ? null : JSON.parse(text)) as Answer;
}

function model(topic: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:operaton="http://operaton.org/schema/1.0/bpmn" targetNamespace="longshore">
  <process id="${topic}" isExecutable="true" operaton:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="to-work" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" operaton:type="external" operaton:topic="${topic}"/>
    <sequenceFlow id="to-end" sourceRef="work" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>`;
}
