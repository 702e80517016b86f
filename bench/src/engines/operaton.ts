import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { KINDS, type Kind, type Load } from './engine.ts';

/**
 * Starts process instances of one external task by Operaton's REST API. The engine tells nobody that one has
 * ended, so the worker's program says that its handler has, by the business key; `prepare` deploys a process for each kind.
 */
export async function operatonLoad(url: string): Promise<Load> {
  const waiting = new Map<string, (value: unknown) => void>();
  const call = async (path: string, body?: unknown): Promise<unknown> => {
    const json = {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
      method: 'POST',
    };
    const answer = await fetch(url + path, body === undefined ? {} : json);
    if (!answer.ok) throw new Error(`${path} was answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  };
  const { version } = (await call('/version')) as { version: string };
  return {
    url,
    server: `Operaton ${version}`,
    prepare: (queue) => deploy(url, queue),
    fills: true,
    async send({ queue, kind, input }) {
      const businessKey = randomUUID();
      const ended = new Promise((resolve) => waiting.set(businessKey, resolve));
      const variables = { input: { value: JSON.stringify(input), type: 'Json' } };
      await call(`/process-definition/key/${topicOf(queue, kind)}/start`, { businessKey, variables });
      return { ended };
    },
    async settled(queue) {
      const keys = KINDS.map((kind) => topicOf(queue, kind)).join(',');
      const running = async (): Promise<number> =>
        ((await call(`/process-instance/count?processDefinitionKeyIn=${keys}`)) as { count: number }).count;
      while ((await running()) > 0) await wait(LOOK_MS);
    },
    heardEnds(keys) {
      for (const key of keys) {
        waiting.get(key)?.(key);
        waiting.delete(key);
      }
    },
    close: async () => undefined,
  };
}

const LOOK_MS = 20;

/** Of the worker of this queue. */
export function topicOf(queue: string, kind: Kind): string {
  return `${queue}-${kind}`;
}

async function deploy(url: string, queue: string): Promise<void> {
  const form = new FormData();
  form.set('deployment-name', queue);
  for (const kind of KINDS) form.set(`${kind}.bpmn`, new File([bpmn(topicOf(queue, kind))], `${kind}.bpmn`));
  const answer = await fetch(`${url}/deployment/create`, { method: 'POST', body: form });
  if (!answer.ok) throw new Error(`the deployment was answered ${answer.status}: ${await answer.text()}`);
}

function bpmn(topic: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:operaton="http://operaton.org/schema/1.0/bpmn" targetNamespace="bench">
  <process id="${topic}" isExecutable="true" operaton:historyTimeToLive="P1D">
    <startEvent id="start"/>
    <sequenceFlow id="to-work" sourceRef="start" targetRef="work"/>
    <serviceTask id="work" operaton:type="external" operaton:topic="${topic}"/>
    <sequenceFlow id="to-end" sourceRef="work" targetRef="end"/>
    <endEvent id="end"/>
  </process>
</definitions>`;
}
