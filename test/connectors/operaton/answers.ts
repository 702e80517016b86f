import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

/**
 * A server that answers as an engine did, in the order and at the time that a test needs: a real one cannot be asked for a fault of
 * its own. Fetches are answered with the tasks that a test gives out, one at a time, or at once with none.
 */
export interface Answers {
  readonly url: string;
  /** Paths of what was asked, without ids, and answered, in order: `failure`, `failure answered`. */
  readonly log: string[];
  /** By the last part of the path; 204 where nothing is said. */
  readonly answers: Record<string, (body: Body) => Answer | Promise<Answer>>;
  /** Resolves when a path has been asked for so many times. */
  asked(path: string, times?: number): Promise<void>;
  /** Gives a task out, once. */
  give(id: string): void;
}

type Body = Readonly<Record<string, unknown>>;

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export async function answering(t: TestContext): Promise<Answers> {
  const tasks: object[] = [];
  const waiting: { path: string; times: number; resolve: () => void }[] = [];
  const log: string[] = [];
  const count = (path: string): number => log.filter((one) => one === path).length;
  const note = (path: string): void => {
    log.push(path);
    for (const one of waiting) if (count(one.path) >= one.times) one.resolve();
  };
  const answers: Answers['answers'] = {
    version: () => ({ status: 200, body: { version: '1.0.3' } }),
    fetchAndLock: () => ({ status: 200, body: tasks.splice(0, 1) }),
    'external-task': () => ({ status: 200, body: [] }),
  };
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const path = (request.url ?? '').split('?')[0]?.split('/').at(-1) ?? '';
    note(path);
    const said = await answers[path]?.(text === '' ? {} : JSON.parse(text));
    const { status, body } = said ?? { status: 204 };
    note(`${path} answered`);
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(body === undefined ? '' : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    answers,
    asked: (path, times = 1) =>
      new Promise((resolve) => {
        if (count(path) >= times) resolve();
        else waiting.push({ path, times, resolve });
      }),
    give: (id) =>
      void tasks.push({
        id,
        topicName: 'topic',
        variables: {},
        retries: null,
        priority: 0,
        businessKey: null,
        processInstanceId: 'instance',
        processDefinitionId: 'definition',
        processDefinitionKey: 'key',
        activityId: 'activity',
        executionId: 'execution',
        tenantId: null,
      }),
  };
}
