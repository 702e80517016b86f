import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Connections } from '../../../src/store/postgres/connection.ts';
import { HintSender } from '../../../src/store/postgres/hint-sender.ts';
import { channelOf } from '../../../src/store/postgres/hints.ts';
import { quoted } from '../../../src/store/postgres/url.ts';
import { Ground } from './ground.ts';

test('a hint is heard, and what its connection commits next waits for the disk again', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const connections = await Connections.open({ place: ground.place, max: 1 });
  ground.finally(() => connections.close());
  await ground.query(`LISTEN ${quoted(channelOf(ground.schema))}`);
  const setting = () =>
    connections.use((lent) =>
      lent.query<{ value: string }>("SELECT current_setting('synchronous_commit') AS value"),
    );
  // Servers of tests may have it off.
  await connections.use((lent) => lent.script('SET synchronous_commit = on'));
  const heard = once(ground.admin, 'notification');
  const sender = new HintSender(connections, 'me');
  sender.send(['settled', 'ready']);
  await sender.quiet();
  assert.equal((await heard)[0].payload, 'me:settled,ready');
  assert.deepEqual(await setting(), [{ value: 'on' }]);
});

test('a hint that cannot be sent fails nothing', async (t) => {
  const ground = await Ground.migrated(t);
  if (ground === undefined) return;
  const connections = await Connections.open({ place: ground.place, max: 1 });
  const sender = new HintSender(connections, 'me');
  await connections.close();
  sender.send(['ready']);
  await sender.quiet();
});
