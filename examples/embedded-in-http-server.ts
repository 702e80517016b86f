/** Jobs in a web application without another server: requests enqueue, a worker in the same process does the work. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { connect, defineTask, LongshoreError } from '../src/index.ts'; // in your project: from 'longshore'

const welcome = defineTask({
  name: 'welcome',
  input: z.object({ email: z.email() }),
  unique: { mode: 'existing' }, // two clicks, one mail
  run: ({ input }) => ({ sentTo: input.email }),
});

const longshore = await connect('sqlite:jobs.db');
const worker = longshore.worker({ tasks: [welcome] });
await worker.start();

const server = createServer(async (request, response) => {
  const answer = (status: number, body: unknown): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  try {
    if (request.method === 'POST') {
      const { id } = await longshore.enqueue(welcome, JSON.parse((await request.toArray()).join('')));
      return answer(202, { id }); // the job is on disk now: a crash does not lose it
    }
    const job = await longshore.jobs.get(request.url?.slice(1) ?? '');
    return answer(job === null ? 404 : 200, job && { state: job.state, result: job.result });
  } catch (error) {
    return answer(error instanceof LongshoreError ? error.status : 400, { error: (error as Error).message });
  }
}).listen(0, '127.0.0.1');

// A client, to see it work.
await new Promise((resolve) => server.once('listening', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
const post = (body: unknown) => fetch(url, { method: 'POST', body: JSON.stringify(body) });
const { id } = (await (await post({ email: 'ada@example.org' })).json()) as { id: string };
await longshore.jobs.handle(id).ended();
console.log(await (await fetch(url + id)).json());
const refused = await post({ email: 'nonsense' });
console.log(refused.status, await refused.json());

server.close();
await longshore.close();
