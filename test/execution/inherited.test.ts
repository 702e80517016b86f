import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { inherited } from '../../src/execution/inherited.ts';
import { temporaryFolder } from '../stage.ts';

test('processes of handlers get the flags of Node that count for handlers, with their values', () => {
  const given = ['--import', './loader.js', '--conditions=development', '--max-http-header-size', '1000'];
  assert.deepEqual(inherited(given), given);
});

test('flags for one process go, and their values with them', () => {
  const own = [
    '--inspect-brk=9229',
    '--test-name-pattern',
    'some name',
    '--watch',
    '--cpu-prof-dir',
    'profiles',
  ];
  assert.deepEqual(inherited(['--enable-source-maps', ...own, '-C', 'development']), [
    '--enable-source-maps',
    '-C',
    'development',
  ]);
});

test('flags that name the program itself go, in both forms, however they are written', () => {
  const program = [
    ['-e', 'code'],
    ['--eval=code'],
    ['-p', 'code'],
    ['-pe', 'code'],
    ['--print', 'code'],
    ['-p', '-e', 'code'],
    ['-c'],
    ['--check'],
    ['-i'],
    ['--interactive'],
    ['--test'],
    ['--test', '--test-reporter', 'spec', '--experimental-test-coverage'],
    ['--watch', '--watch-path=src'],
    ['--run', 'start'],
    ['--run=start'],
    ['--build-sea', 'sea.json'],
    ['--experimental-sea-config=sea.json'],
    ['--build_snapshot'],
    ['--build-snapshot-config', 'snapshot.json'],
    ['--snapshot-blob', 'snapshot.blob'],
    ['--input-type=module'],
    ['--entry-url'],
    ['--prof-process'],
    ['-'],
    ['--'],
  ];
  for (const flags of program)
    assert.deepEqual(
      inherited(['-C', 'x', ...flags, '--expose-gc']),
      ['-C', 'x', '--expose-gc'],
      flags.join(),
    );
});

const INDEX = new URL('../../src/index.ts', import.meta.url).href;

/** Notes each of its starts, stops when there are too many, and changes its folder before the first process starts. */
const PROGRAM = `
import { appendFileSync, readFileSync } from 'node:fs';
appendFileSync('starts', 'start\\n');
if (readFileSync('starts', 'utf8').split('\\n').length > 4) process.exit(9);
import { connect } from ${JSON.stringify(INDEX)};
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
const { where } = await import(pathToFileURL(resolve('task.ts')).href);
process.chdir('elsewhere');
const longshore = await connect('memory:');
const worker = longshore.worker({ tasks: [where], processes: 1 });
await worker.start();
const job = await longshore.enqueue(where, null);
console.log(JSON.stringify(await job.result()));
await longshore.close();
`;

const TASK = `
import { defineTask } from ${JSON.stringify(INDEX)};
export const where = defineTask({
  name: 'where',
  strategy: 'process',
  attempts: 1,
  run: () => ({ folder: process.cwd(), preloaded: globalThis.preloaded, given: process.env.GIVEN }),
});
`;

interface Way {
  readonly flags: readonly string[];
  readonly nodeOptions: string;
  readonly preloaded: string;
}

const WAYS: Readonly<Record<string, Way>> = {
  '-e': {
    flags: ['--import', './preload.mjs', '--input-type=module', '-e', PROGRAM],
    nodeOptions: '',
    preloaded: 'by import',
  },
  // Node prints no result of a module, so this one is no module.
  '-p': {
    flags: ['-p', `import('data:text/javascript,' + encodeURIComponent(${JSON.stringify(PROGRAM)})), ''`],
    nodeOptions: '--require ./preload.cjs',
    preloaded: 'by require',
  },
};

for (const [way, { flags, nodeOptions, preloaded }] of Object.entries(WAYS))
  test(`a program given by ${way} runs once, and its processes take relative flags from where it was started`, async (t) => {
    const folder = await temporaryFolder(t);
    mkdirSync(join(folder, 'elsewhere'));
    writeFileSync(join(folder, 'task.ts'), TASK);
    writeFileSync(join(folder, 'preload.mjs'), "globalThis.preloaded = 'by import';");
    writeFileSync(join(folder, 'preload.cjs'), "globalThis.preloaded = 'by require';");
    writeFileSync(join(folder, 'given.env'), 'GIVEN=by-file');
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--env-file=given.env', ...flags],
      { cwd: folder, env: { ...env, NODE_OPTIONS: nodeOptions }, timeout: 60_000 },
    );
    const expected = { folder: join(folder, 'elsewhere'), preloaded, given: 'by-file' };
    assert.deepEqual(JSON.parse(stdout), expected);
    assert.equal(readFileSync(join(folder, 'starts'), 'utf8'), 'start\n');
  });
