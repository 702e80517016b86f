import { randomBytes } from 'node:crypto';
import { RESP_TYPES } from '@redis/client';
import type { HandWrittenLoop, LoopCounts } from './ceiling.ts';
import type { ServerPlace } from './site.ts';
import { type RedisClient, redisClient } from './site-redis.ts';

/**
 * The loop by hand on Redis: one connection, two scripts. A job is a compact record in a hash, by its 16 raw bytes of
 * id; the line is a list of ids, finished ones are in another, by the order of their end.
 */
export async function openRedisLoop({ url, name }: ServerPlace): Promise<HandWrittenLoop> {
  const client = await redisClient(url);
  const loop = new RedisLoop(client, url, name);
  await loop.load();
  return loop;
}

class RedisLoop implements HandWrittenLoop {
  readonly #client: RedisClient;
  readonly #url: string;
  readonly #name: string;
  readonly #keys: string[];
  readonly #digests: Record<'add' | 'turn', string> = { add: '', turn: '' };
  readonly #idPrefix = randomBytes(10);
  #listener: RedisClient | null = null;
  #ids = 0;
  #leases = 0;

  constructor(client: RedisClient, url: string, name: string) {
    this.#client = client;
    this.#url = url;
    this.#name = name;
    this.#keys = ['jobs', 'line', 'ended', 'counts'].map((key) => `{${name}}:loop:${key}`);
  }

  async load(): Promise<void> {
    for (const [script, text] of [
      ['add', ADD],
      ['turn', TURN],
    ] as const)
      this.#digests[script] = await this.#client.scriptLoad(RECORD + text);
  }

  async warmUp(inputs: readonly unknown[], batch: number): Promise<void> {
    await this.enqueue(inputs, batch);
    await this.process(batch, () => undefined);
    await this.#client.unlink(this.#keys);
  }

  async enqueue(inputs: readonly unknown[], batch: number): Promise<void> {
    if (batch > BATCH_MAX) throw new Error(`The loop on Redis takes batches of at most ${BATCH_MAX} jobs.`);
    for (let start = 0; start < inputs.length; start += batch) {
      const values: (string | Buffer)[] = [String(Date.now()), ''];
      for (const input of inputs.slice(start, start + batch))
        values.push(this.#newId(), JSON.stringify(input));
      await this.#run('add', values);
    }
  }

  async process(batch: number, handler: (input: unknown) => unknown): Promise<number> {
    let completed = 0;
    let outcomes: (Buffer | string)[] = [];
    for (;;) {
      const lease = ++this.#leases;
      const values = [String(Date.now()), String(lease), String(batch), ...outcomes];
      const [done, ...jobs] = (await this.#run('turn', values)) as [number, ...Buffer[]];
      completed += done;
      if (jobs.length === 0) return completed;
      outcomes = [];
      for (let at = 0; at < jobs.length; at += 2) {
        const result = handler(JSON.parse((jobs[at + 1] as Buffer).toString()));
        outcomes.push(jobs[at] as Buffer, result === undefined ? '' : JSON.stringify(result));
      }
    }
  }

  async commitOne(input: unknown, message = ''): Promise<void> {
    await this.#run('add', [String(Date.now()), message, this.#newId(), JSON.stringify(input)]);
  }

  async listen(onMessage: (message: string) => void): Promise<void> {
    this.#listener = await redisClient(this.#url);
    await this.#listener.subscribe(`${this.#name}:loop`, onMessage);
  }

  async count(): Promise<LoopCounts> {
    const counts = await this.#client.hmGet(this.#keys[3] as string, ['ready', 'running', 'completed']);
    const [ready = 0, running = 0, completed = 0] = counts.map(Number);
    return { ready, running, completed };
  }

  close(): void {
    this.#listener?.destroy();
    this.#client.destroy();
  }

  #run(script: 'add' | 'turn', values: (string | Buffer)[]): Promise<unknown> {
    const command = ['EVALSHA', this.#digests[script], '4', ...this.#keys, ...values];
    return this.#client.sendCommand(command, { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } });
  }

  #newId(): Buffer {
    this.#ids += 1;
    const id = Buffer.alloc(16);
    this.#idPrefix.copy(id);
    id.writeUIntBE(this.#ids, 10, 6);
    return id;
  }
}

/** Lua passes no more than 8,000 values to a command. */
const BATCH_MAX = 3_000;

/** State, attempt, attempts allowed, lease, times of enqueue and end; then the input and, where there is one, the result. */
const RECORD = `
local FORMAT = '>BBBI4ddI4'
local HEAD = 27
local READY, RUNNING, COMPLETED = 0, 1, 2
`;

/** ARGV: now, message ('' = none), then id and input by turns. */
const ADD = `
local jobs, line, counts = KEYS[1], KEYS[2], KEYS[4]
local now = tonumber(ARGV[1])
local records, ids = {}, {}
for at = 3, #ARGV, 2 do
  local input = ARGV[at + 1]
  ids[#ids + 1] = ARGV[at]
  records[#records + 1] = ARGV[at]
  records[#records + 1] = struct.pack(FORMAT, READY, 0, 3, 0, now, 0, #input) .. input
end
redis.call('HSET', jobs, unpack(records))
redis.call('RPUSH', line, unpack(ids))
redis.call('HINCRBY', counts, 'ready', #ids)
if ARGV[2] ~= '' then redis.call('PUBLISH', string.match(KEYS[1], '{(.*)}') .. ':loop', ARGV[2]) end
return #ids
`;

/** ARGV: now, the new lease, how many to claim, then id and result ('' = none) of the lease before by turns. Gives the number completed, then id and input by turns. */
const TURN = `
local jobs, line, ended, counts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now, lease, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local reply = { 0 }
if #ARGV > 3 then
  local ids, results = {}, {}
  for at = 4, #ARGV, 2 do
    ids[#ids + 1] = ARGV[at]
    results[#results + 1] = ARGV[at + 1]
  end
  local found = redis.call('HMGET', jobs, unpack(ids))
  local records, done = {}, {}
  for n, record in ipairs(found) do
    if record then
      local state, attempt, most, held, created, _, size = struct.unpack(FORMAT, record)
      if state == RUNNING and held == lease - 1 then
        done[#done + 1] = ids[n]
        records[#records + 1] = ids[n]
        records[#records + 1] = struct.pack(FORMAT, COMPLETED, attempt, most, 0, created, now, size)
          .. string.sub(record, HEAD + 1) .. results[n]
      end
    end
  end
  if #done > 0 then
    redis.call('HSET', jobs, unpack(records))
    redis.call('RPUSH', ended, unpack(done))
    redis.call('HINCRBY', counts, 'running', -#done)
    redis.call('HINCRBY', counts, 'completed', #done)
  end
  reply[1] = #done
end
local ids = redis.call('LPOP', line, limit)
if not ids then return reply end
local records = {}
for n, record in ipairs(redis.call('HMGET', jobs, unpack(ids))) do
  local _, attempt, most, _, created, _, size = struct.unpack(FORMAT, record)
  local input = string.sub(record, HEAD + 1)
  records[#records + 1] = ids[n]
  records[#records + 1] = struct.pack(FORMAT, RUNNING, attempt + 1, most, lease, created, 0, size) .. input
  reply[#reply + 1] = ids[n]
  reply[#reply + 1] = input
end
redis.call('HSET', jobs, unpack(records))
redis.call('HINCRBY', counts, 'ready', -#ids)
redis.call('HINCRBY', counts, 'running', #ids)
return reply
`;
