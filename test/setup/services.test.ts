/** Real servers, started and ended as tests and benches do it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test as nodeTest, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createClient } from '@redis/client';
import pg from 'pg';
import { startPostgres, startRedis } from '../../setup/services/index.mjs';
import { missingFor } from '../fresh-store.ts';
import { eventually } from '../stage.ts';

const missing = (await missingFor('postgres')) ?? (await missingFor('redis')) ?? false;
const test = (title: string, body: (t: TestContext) => Promise<void>) =>
  nodeTest(title, { skip: missing }, body);

type Server = Awaited<ReturnType<typeof startRedis>>;

async function query(server: Server, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  await client.end();
  return rows;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function started(t: TestContext, start: Promise<Server>): Promise<Server> {
  const server = await start;
  t.after(() => server.stop());
  return server;
}

test('a quick PostgreSQL has no fsync, a durable one has', async (t) => {
  const sql = "SELECT current_setting('fsync'), current_setting('work_mem')";
  const quick = await started(t, startPostgres({ settings: { work_mem: '5MB' } }));
  assert.deepEqual(await query(quick, sql), [['off', '5MB']]);
  const durable = await started(t, startPostgres({ durable: true }));
  assert.deepEqual(await query(durable, sql), [['on', '4MB']]);
});

test('a PostgreSQL that was killed starts again on its port, with its data', async (t) => {
  const server = await started(t, startPostgres({ durable: true }));
  await query(server, 'CREATE TABLE kept AS SELECT 7 AS n');
  const { url, pid } = server;
  await server.kill();
  assert.equal(server.pid, undefined);
  assert.equal(await listens(server.port), false);
  await server.restart();
  assert.equal(server.url, url);
  assert.notEqual(server.pid, pid);
  assert.deepEqual(await query(server, 'SELECT n FROM kept'), [[7]]);
});

test('a durable Redis that was killed starts again with its data, a quick one without', async (t) => {
  for (const durable of [true, false]) {
    const server = await started(t, startRedis({ durable, args: ['--appendfsync', 'always'] }));
    const ask = async (...command: string[]) => {
      const client = await createClient({ url: server.url }).connect();
      const reply = await client.sendCommand(command);
      client.destroy();
      return reply;
    };
    await ask('SET', 'kept', 'yes');
    await server.kill();
    await server.restart();
    assert.equal(await ask('GET', 'kept'), durable ? 'yes' : null);
  }
});

test('a server that is paused takes connections and answers nothing until it goes on', async (t) => {
  const server = await started(t, startRedis());
  server.pause();
  const socket = connect({ port: server.port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write('PING\r\n');
  const reply = once(socket, 'data');
  const other = await started(t, startRedis());
  assert.ok(await listens(other.port));
  assert.equal(socket.bytesRead, 0);
  server.resume();
  assert.match(String(await reply), /PONG/);
});

test('stop leaves nothing, also of a server that stands still, and may be called twice', async () => {
  for (const server of [await startPostgres(), await startRedis()]) {
    const { folder } = server;
    assert.ok(existsSync(folder));
    server.pause();
    await server.stop();
    await server.stop();
    assert.equal(await listens(server.port), false);
    assert.equal(existsSync(folder), false);
  }
});

test('servers end with the process that started them, even when that is killed', async () => {
  const program = fileURLToPath(new URL('./programs/starts-servers.ts', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const { ports, folders } = JSON.parse(line) as { ports: number[]; folders: string[] };
  for (const port of ports) assert.ok(await listens(port));
  child.kill('SIGKILL');
  await once(child, 'exit');
  for (const port of ports) await eventually(async () => !(await listens(port)));
  for (const folder of folders) await eventually(() => !existsSync(folder));
});
