/**
 * Celery on Redis, with its own worker and sender in Python (celery_app.py). Messages are acknowledged late, as the others
 * do it. It has processes, as many as cores; where handlers wait, threads, as many as jobs at once.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { agent } from '../src/kit/agent.ts';
import { redisClient } from '../src/site-redis.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const PYTHON = fileURLToPath(new URL('./node_modules/.celery/bin/python', import.meta.url));

agent(
  ({ server, handler: kind, digests, concurrency }) => {
    const prefix = `${server.name}:`;
    const children = [];
    let redis;
    let sender;
    let marks;
    let hear = () => undefined;
    const start = (args, stdio) => {
      const settings = { url: server.url, prefix, port: marks.address().port, handler: kind, digests };
      const env = {
        ...process.env,
        C_FORCE_ROOT: '1',
        PYTHONWARNINGS: 'ignore',
        BENCH_CELERY: JSON.stringify(settings),
      };
      const child = spawn(PYTHON, args, { cwd: FOLDER, env, stdio });
      children.push(child);
      return child;
    };
    const send = async (inputs) => {
      sender ??= openSender(start);
      await sender(inputs);
    };
    const lengths = async () => {
      const [waiting, unacked] = await Promise.all([
        redis.lLen(`${prefix}celery`),
        redis.hLen(`${prefix}unacked`),
      ]);
      return { waiting, unacked };
    };
    return {
      async prepare() {
        redis = await redisClient(server.url);
        marks = createServer((socket) => {
          createInterface({ input: socket }).on('line', (line) => hear(JSON.parse(line)));
        });
        marks.listen(0, '127.0.0.1');
        await once(marks, 'listening');
      },
      enqueue: (input) => send([input]),
      enqueueMany: send,
      async work(handler) {
        const isReady = Promise.withResolvers();
        hear = ({ ready = false, n, intendedMs, startedMs }) => {
          if (ready) isReady.resolve();
          else handler(intendedMs === null ? { n, startedMs } : { n, intendedMs, startedMs });
        };
        const waits = kind.startsWith('wait');
        const pool = waits ? ['-P', 'threads', '-c', `${concurrency}`] : ['-c', `${availableParallelism()}`];
        const quiet = ['--without-gossip', '--without-mingle', '--without-heartbeat', '-l', 'ERROR'];
        const worker = start(
          ['-m', 'celery', '-q', '-A', 'celery_app', 'worker', ...pool, ...quiet],
          ['ignore', 'ignore', 2],
        );
        await Promise.race([isReady.promise, once(worker, 'exit')]);
        return {
          async stop() {
            worker.kill('SIGTERM');
            await once(worker, 'exit');
          },
        };
      },
      async unfinished() {
        const { waiting, unacked } = await lengths();
        return waiting + unacked;
      },
      counts: lengths,
      async purge() {
        for await (const keys of redis.scanIterator({ MATCH: `${prefix}*` }))
          if (keys.length > 0) await redis.unlink(keys);
      },
      async close() {
        for (const child of children) child.kill('SIGKILL');
        redis.destroy();
        marks.close();
      },
    };
  },
  { elsewhere: true },
);

/** Resolves a batch when Python says that the broker has it. */
function openSender(start) {
  const child = start(['celery_app.py'], ['pipe', 'pipe', 2]);
  const waiting = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    waiting.get(Number(line))?.resolve();
    waiting.delete(Number(line));
  });
  child.once('exit', () => {
    for (const { reject } of waiting.values()) reject(new Error("Celery's sender ended."));
  });
  let id = 0;
  return (inputs) => {
    id += 1;
    const given = Promise.withResolvers();
    waiting.set(id, given);
    child.stdin.write(`${JSON.stringify({ id, inputs })}\n`);
    return given.promise;
  };
}
