import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import { findServer } from '../../../setup/services/for-tests.mjs';

/**
 * The real Operaton of the tests, which they share, each with processes and topics of its own; and what they ask of it by its
 * REST API. A test that stops or restarts a server starts one for itself with setup/services.
 */
let shared: ReturnType<typeof findServer> | null = null;

/** Undefined where there is none, and then the test is skipped. */
export async function engineFor(t: TestContext): Promise<Engine | undefined> {
  shared ??= findServer('operaton');
  const { url, server, missing } = await shared;
  // It ends with this process.
  server?.unref();
  if (url !== undefined) return new Engine(url);
  if (process.env.CI) throw new Error(missing);
  t.skip(missing);
  return undefined;
}

type Typed = Readonly<
  Record<string, { readonly value: unknown; readonly type?: string; readonly valueInfo?: object }>
>;

/** What one external task looks like from outside. */
export interface TaskView {
  readonly id: string;
  readonly topicName: string;
  readonly workerId: string | null;
  readonly retries: number | null;
  readonly errorMessage: string | null;
  readonly lockExpirationTime: string | null;
}

export class Engine {
  readonly url: string;
  readonly #headers: Readonly<Record<string, string>>;

  /** `user`: `name:password`, where the engine asks for it. */
  constructor(url: string, user?: string) {
    this.url = url;
    this.#headers =
      user === undefined ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` };
  }

  /** A process of one external task, with a path for the BPMN error `DECLINED`. Deleted with all that ran of it after the test. */
  async deploy(
    t: TestContext | null,
    options: { readonly tenantId?: string; readonly model?: (name: string) => string } = {},
  ): Promise<Process> {
    const name = `test-${randomUUID().slice(0, 8)}`;
    const form = new FormData();
    form.set('deployment-name', name);
    if (options.tenantId !== undefined) form.set('tenant-id', options.tenantId);
    form.set('process.bpmn', new File([(options.model ?? bpmn)(name)], 'process.bpmn'));
    const response = await fetch(`${this.url}/deployment/create`, {
      method: 'POST',
      body: form,
      headers: this.#headers,
    });
    if (!response.ok) throw new Error(await response.text());
    const { id } = (await response.json()) as { id: string };
    t?.after(() => this.call('DELETE', `/deployment/${id}?cascade=true`));
    return new Process(this, name, options.tenantId);
  }

  async call<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.url + path, {
      method,
      headers: { ...this.#headers, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Answer;
  }
}

/** One process definition, whose topic has its name. */
export class Process {
  readonly topic: string;
  readonly #engine: Engine;
  readonly #tenant: string;

  constructor(engine: Engine, name: string, tenantId: string | undefined) {
    this.topic = name;
    this.#engine = engine;
    this.#tenant = tenantId === undefined ? '' : `/tenant-id/${tenantId}`;
  }

  /** Returns the id of the instance. */
  async start(variables: Typed = {}, businessKey?: string): Promise<string> {
    const path = `/process-definition/key/${this.topic}${this.#tenant}/start`;
    const { id } = await this.#engine.call<{ id: string }>('POST', path, { variables, businessKey });
    return id;
  }

  tasks(): Promise<TaskView[]> {
    return this.#engine.call('GET', `/external-task?topicName=${this.topic}`);
  }

  /** Instances that ended at `end`, and at `declined`. */
  async ended(at: 'end' | 'declined'): Promise<number> {
    const query = `processDefinitionId=${await this.#definition()}&activityId=${at}&finished=true`;
    const { count } = await this.#engine.call<{ count: number }>(
      'GET',
      `/history/activity-instance/count?${query}`,
    );
    return count;
  }

  async incidents(): Promise<{ incidentMessage: string }[]> {
    return this.#engine.call('GET', `/incident?processDefinitionId=${await this.#definition()}`);
  }

  /** The last values of an instance's variables, as they are stored. */
  async variables(instance: string): Promise<Typed> {
    const found = await this.#engine.call<({ name: string } & Typed[string])[]>(
      'GET',
      `/history/variable-instance?processInstanceId=${instance}&deserializeValues=false`,
    );
    return Object.fromEntries(
      found.map(({ name, value, type }) => [name, type === undefined ? { value } : { value, type }]),
    );
  }

  async #definition(): Promise<string> {
    const found = await this.#engine.call<{ id: string }[]>('GET', `/process-definition?key=${this.topic}`);
    return found[0]?.id ?? '';
  }
}

function bpmn(name: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:operaton="http://operaton.org/schema/1.0/bpmn" targetNamespace="longshore">
  <error id="declined-error" errorCode="DECLINED"/>
  <process id="${name}" isExecutable="true" operaton:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="to-work" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" operaton:type="external" operaton:topic="${name}">
      <extensionElements>
        <operaton:properties><operaton:property name="unit" value="cent"/></operaton:properties>
      </extensionElements>
    </serviceTask>
    <boundaryEvent id="on-declined" attachedToRef="work">
      <errorEventDefinition errorRef="declined-error" operaton:errorMessageVariable="why"/>
    </boundaryEvent>
    <sequenceFlow id="to-declined" sourceRef="on-declined" targetRef="declined"/>
    <endEvent id="declined"/>
    <sequenceFlow id="to-end" sourceRef="work" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>`;
}
