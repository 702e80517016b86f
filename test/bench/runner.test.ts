import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programFile, run, start } from '../../bench/src/runner.ts';
import { temporaryFolder } from './bench-process.ts';

const PROGRAM = fileURLToPath(new URL('../../bench/src/program.ts', import.meta.url));

test('a program gets its settings and gives its result', async (t) => {
  const file = write(t, 'program(async ({ one }) => ({ two: one + 1 }))');
  assert.deepEqual(await run('probe', { one: 1 }, { timeoutMs: 30_000, file }), { two: 2 });
});

test('a program and its parent can talk while it runs, whoever speaks first', async (t) => {
  const file = write(
    t,
    "program(async (_, parent) => { parent.say('hello', 1); return parent.told('answer'); })",
  );
  const probe = start('probe', null, { timeoutMs: 30_000, file });
  probe.tell('answer', 42);
  assert.equal(await probe.heard('hello'), 1);
  assert.equal(await probe.result, 42);
});

test('settings of the environment do not reach a program', async (t) => {
  process.env['LONGSHORE_LEASE_MS'] = 'abc';
  t.after(() => delete process.env['LONGSHORE_LEASE_MS']);
  const file = write(t, "program(async () => process.env['LONGSHORE_LEASE_MS'] ?? 'none')");
  assert.equal(await run('probe', null, { timeoutMs: 30_000, file }), 'none');
});

test('what a program throws is the reason the measurement fails', async (t) => {
  const file = write(t, "program(async () => { throw new Error('the disk is full'); })");
  await assert.rejects(
    run('probe', null, { timeoutMs: 30_000, file }),
    /'probe' failed: Error: the disk is full/,
  );
});

test('a program that dies fails the measurement, and whoever waits for a word of it', async (t) => {
  const file = write(t, 'program(() => process.exit(7))');
  const probe = start('probe', null, { timeoutMs: 30_000, file });
  await assert.rejects(probe.heard('ready'), /ended without a result \(exit code 7\)/);
  await assert.rejects(probe.result, /ended without a result/);
});

test('a program that takes too long is killed', async (t) => {
  const file = write(t, "program((_, parent) => parent.told('never'))");
  await assert.rejects(
    run('probe', null, { timeoutMs: 300, file }),
    /did not end within 0\.3 s and was killed/,
  );
});

test('an interrupted measurement kills its program', async (t) => {
  const file = write(t, "program((_, parent) => { parent.say('up'); return parent.told('never'); })");
  const interruption = new AbortController();
  const probe = start('probe', null, { timeoutMs: 30_000, file, signal: interruption.signal });
  await probe.heard('up');
  interruption.abort(new Error('interrupted'));
  await assert.rejects(probe.result, /^Error: interrupted$/);
});

test('a program ends when its parent is gone', async (t) => {
  const file = write(t, "program((_, parent) => { parent.say('up'); return parent.told('never'); })");
  const child = fork(file, { serialization: 'advanced', stdio: 'ignore' });
  child.send({ tell: 'settings', value: null });
  await once(child, 'message');
  child.disconnect();
  const [code] = await once(child, 'exit');
  assert.equal(code, 1);
});

test('a program started by hand says that it is not for that', async () => {
  const { execFile } = await import('node:child_process');
  const stderr = await new Promise<string>((resolve) => {
    execFile(process.execPath, [programFile('idle')], (_error, _stdout, text) => resolve(text));
  });
  assert.match(stderr, /started by the benchmark runner, not by hand/);
});

function write(t: TestContext, body: string): string {
  const file = join(temporaryFolder(t), 'probe.mjs');
  writeFileSync(file, `import { program } from ${JSON.stringify(`file://${PROGRAM}`)};\n${body};\n`);
  return file;
}
