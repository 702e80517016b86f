/** Events by server-sent events: filtered, bounded, and ended in order. */
import assert from 'node:assert/strict';
import { defineTask, type HttpHandler } from '../../src/index.ts';
import { FakeClock } from '../../src/testing/index.ts';
import { onEachStore, SHARED_KINDS, type Stage } from '../stage.ts';

const echo = defineTask({ name: 'echo', run: ({ input }) => input });
const local = { remoteAddress: '127.0.0.1' };

function onMemory(title: string, body: (stage: Stage) => Promise<void>): void {
  onEachStore(title, body, ['memory']);
}

async function open(handler: HttpHandler, query = ''): Promise<Response> {
  return handler(new Request(`http://localhost/api/v1/events${query}`), local);
}

/** Reads until `pattern` is there, or the end. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, pattern: RegExp): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  while (!pattern.test(text)) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += decoder.decode(value);
  }
  return text;
}

onMemory('a stream tells the events it asks for, and no others', async ({ connect }) => {
  const longshore = await connect();
  const response = await open(longshore.http(), '?names=job.enqueued,job.completed&queue=mail');
  assert.equal(response.headers.get('content-type'), 'text/event-stream');
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  await longshore.enqueue(echo, 1, { queue: 'other' });
  await longshore.enqueue(echo, 2, { queue: 'mail' });
  await longshore.worker({ tasks: [echo], queues: ['mail', 'other'] }).runUntilIdle();
  const text = await readUntil(reader, /job\.completed.*\n\n/s);
  assert.deepEqual(
    [...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name),
    ['job.enqueued', 'job.completed'],
  );
  assert.doesNotMatch(text, /other/);
  await reader.cancel();
});

onEachStore(
  'a stream tells the ends of jobs that another connection runs',
  async ({ connect }) => {
    const [here, there] = [await connect(), await connect()];
    await there.worker({ tasks: [echo] }).start();
    const response = await open(here.http(), '?names=job.completed');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let isHeard = false;
    const told = readUntil(reader, /job\.completed.*\n\n/s).finally(() => {
      isHeard = true;
    });
    // The other one sends once it has heard that somebody listens.
    const ids: string[] = [];
    while (!isHeard) {
      const job = await here.enqueue(echo, 1);
      ids.push(job.id);
      await job.ended();
    }
    const { id, task } = JSON.parse(/^data: (.*)$/m.exec(await told)?.[1] ?? '');
    assert.equal(task, 'echo');
    assert.ok(ids.includes(id));
    await reader.cancel();
  },
  SHARED_KINDS,
);

onMemory('the overview comes every 2 s, however many look', async (stage) => {
  const clock = new FakeClock();
  let reads = 0;
  const longshore = await stage.connectThrough(
    (store) => ({
      queues: () => {
        reads += 1;
        return store.queues();
      },
    }),
    { clock },
  );
  const handler = longshore.http();
  const readers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const { body } = await open(handler, '?names=overview');
      return (body as ReadableStream<Uint8Array>).getReader();
    }),
  );
  clock.advance(2_000);
  const texts = await Promise.all(readers.map((reader) => readUntil(reader, /"workers".*\n\n/s)));
  assert.ok(texts.every((text) => text.includes('event: overview')));
  assert.equal(reads, 1);
  await Promise.all(readers.map((reader) => reader.cancel()));
});

onMemory(
  'a reader that is too slow is cut with a note, and holds no more than its buffer',
  async ({ connect }) => {
    const longshore = await connect();
    const { body } = await open(longshore.http(), '?names=job.enqueued');
    for (let sent = 0; sent < 40; sent += 1)
      await longshore.enqueueMany(
        echo,
        Array.from({ length: 100 }, () => 1),
      );
    let [text, size] = ['', 0];
    for await (const chunk of body as ReadableStream<Uint8Array>) {
      size += chunk.length;
      text = new TextDecoder().decode(chunk);
    }
    assert.match(text, /^event: cut\ndata: .*slower/);
    assert.ok(size > 200_000 && size < 300_000, `${size} bytes`);
  },
);

onMemory('streams are bounded in number, and end when the connection is closed', async ({ connect }) => {
  const longshore = await connect();
  const handler = longshore.http({ streamsMax: 1 });
  const first = await open(handler);
  const second = await open(handler);
  assert.deepEqual([second.status, second.headers.get('retry-after')], [429, '5']);
  await first.body?.cancel();
  const third = await open(handler);
  assert.equal(third.status, 200);
  await longshore.close();
  const reader = (third.body as ReadableStream<Uint8Array>).getReader();
  await readUntil(reader, /never/);
  assert.equal((await reader.read()).done, true);
});

onMemory('what is redacted elsewhere is redacted in events', async ({ connect }) => {
  const longshore = await connect();
  const tells = defineTask({ name: 'tells', run: ({ log }) => log('here', { card: '4111', shown: true }) });
  const { body } = await open(longshore.http({ redact: ['data.card'] }), '?names=job.logged');
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  await longshore.enqueue(tells, null);
  await longshore.worker({ tasks: [tells] }).runUntilIdle();
  const text = await readUntil(reader, /job\.logged.*\n\n/s);
  assert.match(text, /"card":"\[redacted\]","shown":true/);
  await reader.cancel();
});
