import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pageOfSources } from '../../setup/page.mjs';
import {
  connect,
  defineFlow,
  defineTask,
  type HttpOptions,
  type Longshore,
  toNodeHandler,
  UnrecoverableError,
} from '../../src/index.ts';
import { freshStore, type StoreKind } from '../fresh-store.ts';

/** A served store with something of everything: what the tests of the page look at. */
export const MARKUP = '<img src=x onerror=alert(1)><b>bold</b>';

export const resize = defineTask({
  name: 'resize',
  run: ({ input, log, progress }) => {
    log('reading', { file: (input as { file: string }).file });
    progress({ done: 3, total: 4 });
    return { width: 640, height: 480, thumbs: ['s', 'm', 'l'] };
  },
});
export const charge = defineTask({
  name: 'charge',
  run: ({ input }) => {
    const { card } = input as { card: number };
    if (card !== 0) throw new UnrecoverableError(`card ${card} was declined`);
  },
});
export const marked = defineTask({
  name: 'marked',
  run: () => {
    throw new UnrecoverableError(MARKUP);
  },
});
const page = defineTask({
  name: 'page',
  attempts: 1,
  run: ({ input }) => {
    if (input === 13) throw new Error('page 13 is missing');
    return input;
  },
});
export const book = defineFlow({
  name: 'book',
  steps: (s) => {
    const cut = s.step('cut', resize, { input: () => ({ file: 'book.pdf' }) });
    const pay = s.step('pay', charge, { input: () => ({ card: 4 }), after: [cut], failure: 'block' });
    const sign = s.waitFor('sign', null, { signal: 'approval', after: [cut] });
    s.each('pages', page, {
      over: Array.from({ length: 300 }, (_, index) => index),
      after: [cut],
      failure: 'continue',
    });
    s.step('print', page, { input: () => null, after: [pay, sign] });
  },
});

export const tasks = [resize, charge, marked, page];

export interface Site {
  readonly url: string;
  readonly longshore: Longshore;
  close(): Promise<void>;
}

export async function openSite(kind: StoreKind, options: HttpOptions = {}): Promise<Site> {
  await pageOfSources(fileURLToPath(new URL('../..', import.meta.url)));
  const { url: store, remove } = await freshStore(kind);
  const longshore = await connect(store, { logger: false });
  const handler = longshore.http({ tasks, flows: [book], ...options });
  const server = createServer(toNodeHandler(handler)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${options.basePath ?? ''}/`,
    longshore,
    async close() {
      handler.close();
      server.close();
      server.closeAllConnections();
      await longshore.close();
      await remove();
    },
  };
}

export interface Filled {
  readonly completed: string;
  readonly failed: string;
  readonly markup: string;
  readonly waiting: string;
  readonly run: string;
}

/** Jobs of every state, a run that waits and is blocked, a schedule, and a queue with limits. */
export async function fill({ longshore }: Site): Promise<Filled> {
  const meta = { correlationId: 'order-7', tags: ['vip'] };
  const completed = await longshore.enqueue(resize, { file: 'a.png' }, { queue: 'images', meta });
  await longshore.enqueueMany(
    resize,
    Array.from({ length: 12 }, (_, index) => ({ file: `${index}.png` })),
    () => ({ queue: 'images' }),
  );
  const failed = await longshore.enqueue(charge, { card: 1 }, { meta });
  await longshore.enqueueMany(charge, [{ card: 2 }, { card: 3 }]);
  const markup = await longshore.enqueue(marked, { [MARKUP]: MARKUP }, { meta: { tags: [MARKUP] } });
  const { id: run } = await longshore.flows.start(book, {});
  await longshore.worker({ tasks, queues: ['default', 'images'] }).runUntilIdle();
  await longshore.queues.pause('mail');
  await longshore.queues.setLimits('images', { concurrency: 4, rate: { count: 100, perMs: 60_000 } });
  const waiting = await longshore.enqueue(resize, { file: 'later.png' }, { queue: 'mail' });
  await longshore.enqueue(resize, { file: 'tomorrow.png' }, { delayMs: 86_400_000 });
  await longshore.schedules.set('nightly', {
    task: resize,
    input: { file: 'all' },
    cron: '30 3 * * *',
    zone: 'Europe/Berlin',
  });
  return { completed: completed.id, failed: failed.id, markup: markup.id, waiting: waiting.id, run };
}
