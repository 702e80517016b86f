import { incidentAnswer, jobAnswer } from './answers.ts';
import type { Engine } from './engine.ts';
import { invalid, notFound, Problem } from './problem.ts';
import type { Instance } from './records.ts';
import type { Simulator } from './server.ts';

interface Request {
  readonly simulator: Simulator;
  /** From the path. */
  readonly key: string;
  readonly body: unknown;
  isGone(): boolean;
}

interface RouteOf {
  readonly method: string;
  readonly path: RegExp;
  /** Undefined: 204. */
  readonly run: (request: Request) => unknown;
}

const TENANT = '<default>';

export const routes: readonly RouteOf[] = [
  { method: 'GET', path: /^\/v2\/topology$/, run: topology },
  { method: 'POST', path: /^\/v2\/deployments$/, run: deploy },
  { method: 'POST', path: /^\/v2\/process-instances$/, run: createInstance },
  { method: 'GET', path: /^\/v2\/process-instances\/(\d+)$/, run: getInstance },
  { method: 'POST', path: /^\/v2\/process-instances\/(\d+)\/cancellation$/, run: cancelInstance },
  { method: 'POST', path: /^\/v2\/jobs\/activation$/, run: activate },
  { method: 'POST', path: /^\/v2\/jobs\/(\d+)\/completion$/, run: complete },
  { method: 'POST', path: /^\/v2\/jobs\/(\d+)\/failure$/, run: fail },
  { method: 'POST', path: /^\/v2\/jobs\/(\d+)\/error$/, run: throwError },
  { method: 'PATCH', path: /^\/v2\/jobs\/(\d+)$/, run: update },
  { method: 'POST', path: /^\/v2\/incidents\/search$/, run: searchIncidents },
  { method: 'POST', path: /^\/v2\/incidents\/(\d+)\/resolution$/, run: resolveIncident },
  { method: 'POST', path: /^\/oauth\/token$/, run: token },
];

function topology(): unknown {
  const partitions = [{ partitionId: 1, role: 'leader', health: 'healthy' }];
  return {
    brokers: [{ nodeId: 0, host: '127.0.0.1', port: 26501, partitions, version: '8.9.0' }],
    clusterId: 'simulator',
    clusterSize: 1,
    partitionsCount: 1,
    replicationFactor: 1,
    gatewayVersion: '8.9.0',
    lastCompletedChangeId: '-1',
  };
}

async function deploy({ simulator, body }: Request): Promise<unknown> {
  if (!(body instanceof FormData)) throw invalid('A deployment is multipart/form-data with resources.');
  const files = body.getAll('resources').filter((part) => typeof part !== 'string');
  if (files.length === 0) throw invalid('The deployment has no resources.');
  const deployments = [];
  for (const file of files) {
    const { process, deployed } = simulator.engine.deploy(file.name, await file.text());
    deployments.push({
      processDefinition: {
        processDefinitionId: process.id,
        processDefinitionVersion: deployed.version,
        processDefinitionKey: deployed.key,
        resourceName: deployed.resourceName,
        tenantId: TENANT,
      },
      decisionDefinition: null,
      decisionRequirements: null,
      form: null,
      resource: null,
    });
  }
  return { deploymentKey: '1', tenantId: TENANT, deployments };
}

async function createInstance({ simulator, body }: Request): Promise<unknown> {
  const { engine } = simulator;
  const given = body as Record<string, unknown>;
  const instance = engine.create({
    ...(given.processDefinitionId === undefined ? {} : { processId: String(given.processDefinitionId) }),
    ...(given.processDefinitionKey === undefined ? {} : { processKey: String(given.processDefinitionKey) }),
    variables: { ...(given.variables as object | undefined) },
    tenantId: String(given.tenantId ?? TENANT),
    tags: (given.tags as string[] | undefined) ?? [],
  });
  if (given.awaitCompletion === true)
    await end(engine, instance, Number(given.requestTimeout ?? 0) || WAIT_MS);
  return instanceAnswer(simulator, instance);
}

/** How long a caller waits for the end of an instance, ms, unless it says. */
const WAIT_MS = 10_000;

async function end(engine: Engine, instance: Instance, waitMs: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const cancel = engine.clock.after(waitMs, () =>
    reject(new Problem(504, 'DEADLINE_EXCEEDED', 'The instance did not end in time.')),
  );
  engine.whenEnded(instance, resolve);
  await promise.finally(cancel);
}

function instanceAnswer({ engine }: Simulator, instance: Instance): Record<string, unknown> {
  const { process, deployed } = engine.processOf(instance);
  return {
    processDefinitionId: process.id,
    processDefinitionVersion: deployed.version,
    processDefinitionKey: deployed.key,
    processInstanceKey: instance.key,
    tenantId: instance.tenantId,
    variables: instance.variables,
    tags: instance.tags,
    businessId: null,
  };
}

function getInstance({ simulator, key }: Request): unknown {
  const instance = simulator.engine.instances.get(key);
  if (instance === undefined) throw notFound('a process instance', key);
  const { variables: _, businessId: __, ...rest } = instanceAnswer(simulator, instance);
  return { ...rest, state: instance.state, startDate: new Date(instance.startedAt).toISOString() };
}

function cancelInstance({ simulator, key }: Request): void {
  simulator.engine.cancel(key);
}

function activate({ simulator, body, isGone }: Request): Promise<unknown> {
  const given = (body ?? {}) as Record<string, unknown>;
  const type = given.type;
  if (typeof type !== 'string' || type === '') throw invalid('No type is given.');
  const max = wholeAboveZero(given, 'maxJobsToActivate');
  const timeoutMs = wholeAboveZero(given, 'timeout');
  const fetched = given.fetchVariable as readonly string[] | undefined;
  return new Promise((resolve) => {
    simulator.polls.add({
      type,
      max,
      timeoutMs,
      worker: String(given.worker ?? 'default'),
      withLease: given.withLease === true,
      requestTimeoutMs: Number(given.requestTimeout ?? 0),
      isAbandoned: isGone,
      answer: (jobs) => resolve({ jobs: jobs.map((job) => jobAnswer(simulator.engine, job, fetched)) }),
    });
  });
}

function complete({ simulator, key, body }: Request): void {
  const given = (body ?? {}) as Record<string, unknown>;
  simulator.engine.complete(key, leaseOf(given), variablesOf(given));
}

function fail({ simulator, key, body }: Request): void {
  const given = (body ?? {}) as Record<string, unknown>;
  simulator.engine.fail(key, leaseOf(given), {
    retries: Number(given.retries ?? 0),
    message: String(given.errorMessage ?? ''),
    backOffMs: Number(given.retryBackOff ?? 0),
    variables: variablesOf(given),
  });
}

function throwError({ simulator, key, body }: Request): void {
  const given = (body ?? {}) as Record<string, unknown>;
  if (typeof given.errorCode !== 'string') throw invalid('No errorCode is given.');
  simulator.engine.throwError(key, leaseOf(given), {
    code: given.errorCode,
    message: String(given.errorMessage ?? ''),
    variables: variablesOf(given),
  });
}

function update({ simulator, key, body }: Request): void {
  const given = (body ?? {}) as Record<string, unknown>;
  const { retries, timeout } = (given.changeset ?? {}) as {
    retries?: number | null;
    timeout?: number | null;
  };
  simulator.engine.update(key, leaseOf(given), {
    ...(typeof retries === 'number' ? { retries } : {}),
    ...(typeof timeout === 'number' ? { timeoutMs: timeout } : {}),
  });
}

function searchIncidents({ simulator: { engine } }: Request): unknown {
  const items = [...engine.incidents.values()].map((incident) => incidentAnswer(engine, incident));
  return {
    items,
    page: { totalItems: items.length, hasMoreTotalItems: false, startCursor: null, endCursor: null },
  };
}

function resolveIncident({ simulator, key }: Request): void {
  simulator.engine.resolve(key);
}

function token({ simulator, body }: Request): unknown {
  const given = body as URLSearchParams;
  if (given.get('client_secret') !== 'secret') throw new Problem(401, 'UNAUTHORIZED', 'Wrong client secret.');
  simulator.tokens += 1;
  return { access_token: 'token', token_type: 'Bearer', expires_in: 3_600 };
}

function variablesOf(given: Record<string, unknown>): Record<string, unknown> {
  return (given.variables ?? {}) as Record<string, unknown>;
}

function leaseOf(given: Record<string, unknown>): string | null {
  return typeof given.jobLeaseToken === 'string' ? given.jobLeaseToken : null;
}

function wholeAboveZero(given: Record<string, unknown>, name: string): number {
  const value = given[name];
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw invalid(`The value for ${name} is '${String(value)}' but must be greater than 0.`);
}
