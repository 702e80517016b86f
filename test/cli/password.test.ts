import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Ground } from '../store/postgres/ground.ts';
import { Sandbox, TASKS } from './longshore.ts';

test('work greets with the URL of its store and without the password in it', async (context) => {
  const ground = await Ground.migrated(context);
  if (ground === undefined) return;
  const url = new URL(ground.url);
  url.username ||= 'postgres';
  url.password ||= 'hush-hush'; // a server that trusts everybody takes any
  const sandbox = new Sandbox(context);
  sandbox.write('tasks/all.ts', TASKS);
  const { code, stderr } = await sandbox.run(
    ['work', '--tasks', 'tasks', '--until-idle', '--log-format', 'pretty'],
    { env: { LONGSHORE_STORE: url.href } },
  );
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^longshore {2}postgres(ql)?:\/\/[^:/@]+:\*\*\*@.*\?schema=/m);
  assert.ok(!stderr.includes(url.password), stderr);
});
