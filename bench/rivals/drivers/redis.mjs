/**
 * `@redis/client` and `ioredis` doing what a store does on one connection: a script that takes 1,000 jobs, a script that
 * answers with 1,000 jobs as raw bytes, and small commands, one or a hundred in flight. Run by
 * `npm run -s bench -- drivers --store redis`.
 */
import { randomBytes } from 'node:crypto';
import { measureDrivers } from './rounds.mjs';

measureDrivers({
  '@redis/client': { load: () => import('@redis/client'), open: openNodeRedis },
  ioredis: { load: () => import('ioredis'), open: openIoredis },
});

async function openNodeRedis({ createClient, RESP_TYPES }, { server }) {
  const client = createClient({ url: server.url });
  client.on('error', () => undefined);
  await client.connect();
  const options = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  return works(server.name, {
    load: (script) => client.scriptLoad(script),
    run: (digest, key, values) => client.sendCommand(['EVALSHA', digest, '1', key, ...values], options),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    close: async () => client.destroy(),
  });
}

async function openIoredis({ Redis }, { server }) {
  const client = new Redis(server.url, { lazyConnect: true });
  client.on('error', () => undefined);
  await client.connect();
  return works(server.name, {
    load: (script) => client.script('LOAD', script),
    run: (digest, key, values) => client.evalshaBuffer(digest, 1, key, ...values),
    set: (key, value) => client.set(key, value),
    get: (key) => client.get(key),
    close: async () => client.disconnect(),
  });
}

const ROWS = 1_000;
const RECORD = Buffer.alloc(80, 'x');

const ADD = `
local all = {}
for at = 1, #ARGV do all[at] = ARGV[at] end
redis.call('DEL', KEYS[1])
return redis.call('HSET', KEYS[1], unpack(all))`;
const READ = `return redis.call('HGETALL', KEYS[1])`;

function works(name, { load, run, set, get, close }) {
  const [jobs, value] = [`${name}:jobs`, `${name}:value`];
  let digests;
  const add = () => {
    const values = [];
    for (let n = 0; n < ROWS; n += 1) values.push(randomBytes(16), RECORD);
    return run(digests[0], jobs, values);
  };
  const read = async () => {
    const reply = await run(digests[1], jobs, []);
    if (reply.length !== 2 * ROWS || !Buffer.isBuffer(reply[0]))
      throw new Error(`read: ${reply.length} values, not ${2 * ROWS} buffers`);
  };
  const small = () => get(value);
  return {
    async prepare() {
      digests = [await load(ADD), await load(READ)];
      await set(value, 'x');
      await add();
    },
    works: {
      'add a job of 1,000': { rounds: 200, each: ROWS, work: add },
      'read a job of 1,000': { rounds: 400, each: ROWS, work: read },
      'small command, one in flight': { rounds: 3_000, each: 1, work: small },
      'small command, 100 in flight': {
        rounds: 300,
        each: 100,
        work: () => Promise.all(Array.from({ length: 100 }, small)),
      },
    },
    close,
  };
}
