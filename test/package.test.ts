/**
 * The package as a user gets it: imported and required by JavaScript, type-checked, started from its command, resolved by
 * other compilers, run under other test runners, and bundled (test/packaged).
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { tool } from '../setup/tools.mjs';
import { bundleTests } from './packaged/bundles.ts';
import { MANIFEST, packedProject, ROOT, removePacked, run, toolsMissing } from './packaged/packed.ts';
import { resolutionTests } from './packaged/resolution.ts';
import { runnerTests } from './packaged/runners.ts';

const SUBPATHS = Object.keys(MANIFEST.exports).map((path) => `longshore${path.slice(1)}`);

const UNPACKED_BYTES_MAX = 3_000_000;

/** Paths inside the tarball. */
let packed: readonly string[] = [];
let unpackedBytes = 0;
let copy = '';
let consumer = '';

after(removePacked);

/** On a busy machine, and with packages to fetch, these take longer than other tests may. */
const patient = { timeout: 600_000 };

test('the package is built, packed and installed', patient, async () => {
  assert.notEqual((await packedProject()).files.length, 0);
});

test('the tools that the package is tried with are there', patient, async (t) => {
  const why = await toolsMissing();
  if (why !== null) t.skip(why);
});

describe('the published package', () => {
  before(async () => {
    ({ files: packed, unpackedBytes, copy, consumer } = await packedProject());
  });

  test('holds the build, its types and the documents, and nothing else', () => {
    const allowed =
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE|dist\/.+\.(js|cjs|d\.c?ts|sql|lua)|dist\/page\/built\/.+\.(html|css))$/;
    assert.deepEqual(
      packed.filter((path) => !allowed.test(path)),
      [],
    );
    for (const path of ['README.md', 'CHANGELOG.md', 'LICENSE']) assert.ok(packed.includes(path), path);
    assert.ok(unpackedBytes < UNPACKED_BYTES_MAX, `${unpackedBytes} bytes`);
  });

  test('holds no benchmark, and needs no package that only benchmarks use', () => {
    assert.deepEqual(
      packed.filter((path) => path.split('/').includes('bench')),
      [],
    );
    const scripts = packed.filter((path) => path.endsWith('.js'));
    const texts = scripts.map((path) =>
      readFileSync(join(consumer, 'node_modules', 'longshore', path), 'utf8'),
    );
    const unused = Object.keys(MANIFEST.dependencies).filter(
      (name) => !texts.some((text) => text.includes(`"${name}"`)),
    );
    assert.deepEqual(unused, []);
  });

  test('has each file that is no module beside its module', () => {
    const expected = sources().filter((path) => !path.endsWith('.ts') && !/^page\//.test(path));
    assert.ok(expected.length > 0);
    assert.deepEqual(
      packed.filter((path) => /^dist\/.*\.(sql|lua)$/.test(path)).sort(),
      expected.map((path) => `dist/${path}`).sort(),
    );
  });

  test('has each module that another one starts or imports by its place', () => {
    const places = sources().flatMap((path) =>
      [...readFileSync(join(copy, 'src', path), 'utf8').matchAll(/ownFile\('([^']+[^'/])', import/g)].map(
        ([, name]) => posix.join('dist', posix.dirname(path), `${name}.js`),
      ),
    );
    const missing = places.filter((place) => !packed.includes(place));
    assert.ok(places.length >= 4, `only ${places.join()} are started so`);
    assert.deepEqual(missing, []);
  });

  test('names no folder of the machine that built it', () => {
    const installed = join(consumer, 'node_modules', 'longshore');
    const leaks = packed.filter((path) => {
      const text = readFileSync(join(installed, path), 'utf8');
      return text.includes(copy) || text.includes(ROOT);
    });
    assert.deepEqual(leaks, []);
  });

  test('every subpath can be imported from plain JavaScript', async () => {
    const program = `
      for (const path of ${JSON.stringify(SUBPATHS)}) {
        const json = path.endsWith('.json') ? { with: { type: 'json' } } : undefined;
        await import(path, json).then(() => console.log(path));
      }`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], consumer);
    assert.deepEqual(stdout.trimEnd().split('\n'), SUBPATHS);
  });

  test('files that are no subpath cannot be imported', async () => {
    const program = "await import('longshore/dist/index.js').catch(({ code }) => console.log(code))";
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], consumer);
    assert.equal(stdout, 'ERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  test('a job runs from enqueue to its result on the embedded store', async () => {
    writeFileSync(join(consumer, 'job.js'), JOB);
    const { stdout } = await run(process.execPath, ['job.js'], consumer);
    assert.equal(stdout, '42\n');
  });

  test("the error of a failed job shows its handler's frames, and none of the package", async () => {
    writeFileSync(join(consumer, 'fails.js'), FAILS);
    const { stdout } = await run(process.execPath, ['fails.js'], consumer);
    assert.match(stdout, /^Error: refused\n +at .*fails\.js/);
    assert.doesNotMatch(stdout, /longshore\/dist|node:/);
  });

  test('jobs run in threads and processes, and the command reads and mends the file they ran on', async () => {
    writeFileSync(join(consumer, 'tasks.js'), TASKS);
    writeFileSync(join(consumer, 'lanes.js'), LANES);
    const { stdout } = await run(process.execPath, ['lanes.js'], consumer);
    assert.equal(stdout, 'thread 42 1\nprocess 42 1\n');
    const url = 'sqlite:lanes.db';
    const command = (...args: string[]) =>
      run('npx', ['--no-install', 'longshore', ...args, '--store', url], consumer);
    assert.match((await command('jobs', '--json')).stdout, /"completed"/);
    assert.match((await command('migrate')).stdout, /./);
    await command('doctor');
  });

  test('a strict TypeScript project sees the types of the task at both ends', async () => {
    writeFileSync(join(consumer, 'types.ts'), TYPES);
    writeFileSync(join(consumer, 'tsconfig.json'), JSON.stringify(STRICT));
    await run(process.execPath, [tool('tsc'), '-p', '.'], consumer);
  });

  test('the command is installed and knows its version', async () => {
    const { stdout } = await run('npx', ['--no-install', 'longshore', '--version'], consumer);
    assert.equal(stdout.trim(), MANIFEST.version);
  });

  test('the heart of a store that is a server is there once in its thread, and knows the errors of its store', async () => {
    const dist = join(consumer, 'node_modules', 'longshore', 'dist');
    const modules = ['heart', 'postgres/keep-alive', 'redis/keep-alive'].map((name) =>
      pathToFileURL(join(dist, 'store', `${name}.js`)),
    );
    writeFileSync(join(consumer, 'heart.js'), HEART);
    const { stdout } = await run(process.execPath, ['heart.js', ...modules.map(String)], consumer);
    assert.equal(stdout, 'postgres STORE_UNAVAILABLE in turns\nredis STORE_UNAVAILABLE in turns\n');
  });
});

resolutionTests();
runnerTests();
bundleTests();

/** Every file under src, relative to it. */
function sources(): string[] {
  return readdirSync(join(copy, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(join(copy, 'src'), join(entry.parentPath, entry.name)));
}

const JOB = `
import { connect, defineTask } from 'longshore';
const double = defineTask({ name: 'double', run: async ({ input }) => input * 2 });
const longshore = await connect('sqlite:jobs.db');
const worker = longshore.worker({ tasks: [double], concurrency: 2 });
await worker.start();
const job = await longshore.enqueue(double, 21);
console.log(await job.result());
await worker.stop();
await longshore.close();
`;

const FAILS = `import { connect, defineTask } from 'longshore';
const longshore = await connect('memory:', { logger: false });
const task = defineTask({ name: 'fails', attempts: 1, run: async () => { throw new Error('refused'); } });
const { id } = await longshore.enqueue(task, null);
await longshore.worker({ tasks: [task] }).runUntilIdle();
console.log((await longshore.jobs.get(id)).errors[0].stack);
await longshore.close();
`;

const TASKS = `
import { defineTask, UnrecoverableError } from 'longshore';
const run = ({ input }) => {
  if (input === 0) throw new UnrecoverableError('no');
  return input * 2;
};
export const inThread = defineTask({ name: 'thread', strategy: 'thread', run });
export const inProcess = defineTask({ name: 'process', strategy: 'process', run });
`;

const LANES = `
import { connect } from 'longshore';
import { inProcess, inThread } from './tasks.js';
const longshore = await connect('sqlite:lanes.db');
const worker = longshore.worker({ tasks: [inThread, inProcess], concurrency: 2 });
await worker.start();
for (const task of [inThread, inProcess]) {
  const job = await longshore.enqueue(task, 21);
  const result = await job.result();
  const failing = await longshore.enqueue(task, 0, { attempts: 3 });
  const { attempt } = await failing.ended();
  console.log(task.name, result, attempt);
}
await worker.stop();
await longshore.close();
`;

/** No server listens at port 1: each beat fails. The second keeper starts when the store's module is loaded. */
const HEART = `
import { Worker } from 'node:worker_threads';
const [heart, ...modules] = process.argv.slice(2);
const given = { worker: { id: 'w' }, leaseMs: 9_000, intervalMs: 20, load: { slots: 0, slotsUsed: 0, profiles: [] } };
for (const [index, store] of ['postgres', 'redis'].entries()) {
  const workerData = { longshoreHeart: true, module: modules[index], url: store + '://127.0.0.1:1' };
  const thread = new Worker(new URL(heart), { workerData });
  const { promise, resolve } = Promise.withResolvers();
  const beats = [];
  thread.on('message', (message) => {
    if (beats.length === 0) thread.postMessage({ type: 'start', keeper: 2, ...given });
    beats.push(message);
    if (beats.length === 60) resolve();
  });
  thread.postMessage({ type: 'start', keeper: 1, ...given });
  await promise;
  await thread.terminate();
  const ofSecond = beats.filter(({ keeper }) => keeper === 2).length;
  console.log(store, beats[0].error.code, ofSecond <= 35 ? 'in turns' : ofSecond + ' of 60');
}
`;

const TYPES = `
import { connect, defineTask } from 'longshore';
import type { Store } from 'longshore/store';
import * as events from 'longshore/events';
import * as testing from 'longshore/testing';

/** A Standard Schema, as zod, valibot and arktype make them. */
declare const size: {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => { readonly value: { width: number } };
    readonly types?: { readonly input: { width: number }; readonly output: { width: number } };
  };
};

const thumbnail = defineTask({
  name: 'thumbnail',
  input: size,
  async run({ input, attempt, signal }) {
    const width: number = input.width;
    return { bytes: width * attempt, aborted: signal.aborted };
  },
});

const longshore = await connect('memory:');
const job = await longshore.enqueue(thumbnail, { width: 200 }, { priority: -1, delayMs: 5_000 });
const { bytes }: { bytes: number } = await job.result();
// @ts-expect-error the result has no such member
(await job.result()).pixels;
// @ts-expect-error the input is of the wrong type
await longshore.enqueue(thumbnail, { width: '200' });
// @ts-expect-error the input is missing
await longshore.enqueue(thumbnail);

const worker = longshore.worker({ tasks: [thumbnail], concurrency: 10 });
await worker.start();
await worker.stop({ graceMs: 10_000 });
await longshore.close();

export type Claim = Store['claim'];
export { bytes, events, testing };
`;

const STRICT = {
  compilerOptions: {
    module: 'nodenext',
    target: 'es2024',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    noEmit: true,
    typeRoots: [join(ROOT, 'node_modules', '@types')],
    types: ['node'],
  },
  files: ['types.ts'],
};
