import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { Value } from 'typebox/value';
import { Durations } from '../../bench/src/histogram.ts';
import { type Cell, KitDocument } from '../../bench/src/kit/document.ts';
import { serverUrl } from '../servers.ts';
import { bench, temporaryFolder } from './bench-process.ts';

/** Small runs of the kit as a user gives them. What is asserted is what was done and said, never how fast. */
const BURN = { store: 'sqlite', jobs: 200, warmup: 40, batch: 50, concurrency: 20 };

interface Ran {
  readonly code: number;
  readonly document: KitDocument;
  readonly stderr: string;
  readonly path: string;
}

/** Runs a workload of these groups. The result must be as the schema says. */
async function run(t: TestContext, groups: readonly object[], ...args: string[]): Promise<Ran> {
  const folder = temporaryFolder(t);
  const file = join(folder, 'workload.json');
  const path = join(folder, 'result.json');
  writeFileSync(file, JSON.stringify({ name: 'test', description: 'a test', rounds: 1, groups }));
  const { code, stderr } = await bench('run', file, '--output', path, ...args);
  const document: unknown = JSON.parse(readFileSync(path, 'utf8'));
  assert.ok(Value.Check(KitDocument, document), JSON.stringify([...Value.Errors(KitDocument, document)]));
  return { code, document, stderr, path };
}

function onlyCell({ document }: Ran): Cell {
  assert.equal(document.cells.length, 1);
  return document.cells[0] as Cell;
}

describe('the kit', { concurrency: 2 }, () => {
  test('measures cells in rounds, in processes of their own, with machine, system and costs', async (t) => {
    const group = { trial: 'burn', with: BURN, matrix: { workers: [1, 2] } };
    const { code, document, stderr } = await run(t, [group], '--rounds', '2');
    assert.equal(code, 0, stderr);
    assert.deepEqual([document.complete, document.roundsWanted, document.cells.length], [true, 2, 2]);
    assert.deepEqual(
      document.systems.map(({ name }) => name),
      ['longshore'],
    );
    assert.ok(document.before.fsyncMs >= 0 && document.after !== null);
    for (const { figures, status } of document.cells) {
      assert.equal(status, 'done');
      for (const name of ['submitPerSecond', 'processPerSecond', 'cpuMicrosPerJob', 'workerRssMb'])
        assert.equal(figures[name]?.values.filter((value) => value > 0).length, 2, name);
    }
    assert.match(stderr, /left, burn workers=1 2\/2/);
  });

  for (const [sabotage, complaint] of [
    ['lost', 'never ran'],
    ['repeated', 'ran more than once'],
  ] as const)
    for (const trial of ['burn', 'open-loop'])
      test(`a ${sabotage} job fails the run of ${trial}, which gives no figures`, async (t) => {
        const settings = { ...BURN, rate: 200, seconds: 0.2, warmup: 0 };
        const ran = await run(t, [{ trial, with: settings }], '--sabotage', sabotage);
        const { status, figures, reason } = onlyCell(ran);
        assert.deepEqual([ran.code, status, figures], [1, 'failed', {}]);
        assert.match(String(reason), new RegExp(`1 jobs ${complaint}`));
      });

  test('a result that was interrupted is gone on with: what is there is not measured again', async (t) => {
    const group = { trial: 'burn', with: { ...BURN, workers: 0 } };
    const first = await run(t, [group]);
    const before = onlyCell(first).figures.processPerSecond?.values[0];
    const file = join(temporaryFolder(t), 'again.json');
    writeFileSync(file, JSON.stringify({ name: 'test', description: '', rounds: 2, groups: [group] }));
    const { code, stderr } = await bench('run', file, '--resume', first.path);
    assert.equal(code, 0, stderr);
    const values = (JSON.parse(readFileSync(first.path, 'utf8')) as KitDocument).cells[0]?.figures
      .processPerSecond?.values;
    assert.equal(values?.length, 2);
    assert.equal(values?.[0], before);

    const elsewhere = { ...first.document, machine: { ...first.document.machine, cores: 999 } };
    writeFileSync(first.path, JSON.stringify(elsewhere));
    const refused = await bench('run', file, '--resume', first.path);
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /another cores, 999/);
  });

  test('latencies are timed from the intended time, in histograms that hold every job', async (t) => {
    const settings = { ...BURN, rate: 200, seconds: 0.5, timesEnds: 1 };
    const ran = await run(t, [{ trial: 'open-loop', with: settings }]);
    const { histograms = {} } = onlyCell(ran);
    for (const name of ['enqueueToStartMs', 'startToCompleteMs', 'acknowledgedMs', 'instrumentLateMs'])
      assert.equal(new Durations().add(histograms[name] as string).summary().samples, 100, name);
  });

  test('a search finds a rate that is kept, and soaks have a series', async (t) => {
    const settings = { ...BURN, rate: 20, seconds: 0.5, mostPerSecond: 40, limitMs: 60_000, every: 0.2 };
    const { document, code } = await run(t, [
      { trial: 'rate', with: settings },
      { trial: 'soak', with: settings },
    ]);
    assert.equal(code, 0);
    assert.deepEqual(document.cells[0]?.figures.sustainablePerSecond?.values, [40]);
    const { seconds = [], storeBytes = [] } = document.cells[1]?.series ?? {};
    assert.ok(seconds.length > 0 && seconds.length === storeBytes.length);
  });

  for (const trial of ['recover', 'soak'])
    test(`processes that are killed in the middle of ${trial} fail its cell, and the others are measured`, async (t) => {
      const settings = { ...BURN, rate: 10, seconds: 60, every: 0.1, workers: 2, timeout: 12 };
      const { document, code, stderr } = await run(t, [
        { trial, with: settings },
        { trial: 'burn', with: BURN },
      ]);
      assert.deepEqual([code, document.complete], [1, true], stderr);
      assert.deepEqual(
        document.cells.map(({ status }) => status),
        ['failed', 'done'],
      );
      assert.match(String(document.cells[0]?.reason), /did not end within 12 s/);
    });

  test('a server that cannot be reached fails its cells alone, and the end is as ever', async (t) => {
    const matrix = { store: ['postgres', 'sqlite'] };
    const group = { trial: 'burn', with: { ...BURN, workers: 0 }, matrix };
    const ran = await run(t, [group], '--url=postgres://me:secret@127.0.0.1:1/none');
    assert.equal(ran.code, 1);
    assert.deepEqual(
      ran.document.cells.map(({ status }) => status),
      ['failed', 'done'],
    );
    assert.match(ran.stderr, /saved as/);
    assert.ok(!JSON.stringify(ran.document).includes('secret'));
  });

  test('a killed worker loses no job', async (t) => {
    const settings = { ...BURN, rate: 100, seconds: 1, workers: 2, leaseMs: 1_000, handler: 'wait-50' };
    const ran = await run(t, [{ trial: 'recover', with: settings }]);
    assert.equal(onlyCell(ran).status, 'done', onlyCell(ran).reason);
  });

  test('verbs, HTTP, news between processes and flows are measured', async (t) => {
    const { document, code, stderr } = await run(t, [
      {
        trial: 'verbs',
        with: { store: 'sqlite', rounds: 20, size: 10, waiting: 50, finished: 50, flows: 2 },
      },
      { trial: 'http', with: { store: 'sqlite', rate: 100, seconds: 0.2, warmup: 5 } },
      { trial: 'heard', with: { ...BURN, rate: 100, seconds: 0.2, kind: 'timed' } },
      { trial: 'flow', with: { store: 'sqlite', shape: 'diamond', rate: 50, runs: 20, warmup: 2 } },
    ]);
    assert.equal(code, 0, stderr);
    const names = document.cells.map(({ figures }) => Object.keys(figures));
    for (const [index, expected] of [
      'claimMs.mean',
      'createdPerSecond',
      'endToHeardMs.mean',
      'traceEndMs.p50',
    ].entries())
      assert.ok(names[index]?.includes(expected), `${expected}: ${names[index]}`);
  });

  test('flows of every shape run, all at once and as fan-outs, too', async (t) => {
    const shapes = ['linear3', 'linear4', 'dag7', 'tree8', 'conditional', 'order', 'batch'];
    const settings = { store: 'memory', rate: 50, runs: 10, warmup: 2 };
    const { document, stderr } = await run(t, [
      { trial: 'flow', with: settings, matrix: { shape: shapes } },
      { trial: 'flow', title: 'at once', with: { ...settings, part: 'burst', store: 'sqlite' } },
      { trial: 'flow', title: 'fan-out', with: { ...settings, part: 'fanOut', items: 50 } },
    ]);
    for (const { id, status, reason } of document.cells)
      assert.equal(status, 'done', `${id}: ${reason} ${stderr}`);
    assert.ok((document.cells.at(-1)?.figures.itemsPerSecond?.values[0] ?? 0) > 0);
  });

  for (const sabotage of ['lost', 'repeated'])
    test(`a step that is ${sabotage} fails the run of flows`, async (t) => {
      const settings = { store: 'memory', rate: 50, runs: 5, warmup: 0 };
      const ran = await run(t, [{ trial: 'flow', with: settings }], '--sabotage', sabotage);
      assert.match(String(onlyCell(ran).reason), /^longshore, linear3: 1 steps ran too often or not at all/);
      assert.equal(ran.code, 1);
    });

  test('kinds of jobs run as many times as jobs, those that are retried, too', async (t) => {
    const kinds = ['alone', 'unique', 'keyed', 'meta', 'retried', 'steps', 'result'];
    const group = { trial: 'burn', with: { ...BURN, jobs: 60, warmup: 0 }, matrix: { kind: kinds } };
    const { document } = await run(t, [group]);
    for (const { id, status, reason } of document.cells) assert.equal(status, 'done', `${id}: ${reason}`);
  });

  test('a setting that is missing is named, with what was expected', async (t) => {
    const ran = await run(t, [{ trial: 'burn', with: { store: 'sqlite' } }]);
    assert.equal(ran.code, 1);
    assert.match(String(onlyCell(ran).reason), /setting "jobs" is undefined; a number was expected/);
  });
});

for (const [kind, systems] of [
  [
    'postgres',
    [
      'longshore',
      'longshore, deleting',
      'hand-written loop',
      'graphile-worker',
      'pg-boss',
      'dbos',
      'bullmq on postgres',
    ],
  ],
  ['redis', ['longshore', 'longshore, deleting', 'hand-written loop', 'bullmq', 'bullmq, deleting']],
] as const)
  describe(`the kit on ${kind}`, () => {
    test('every system runs the same jobs, each once', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const settings = { store: kind, jobs: 60, warmup: 20, batch: 20, concurrency: 10, handler: 'wait-1' };
      const { document, code, stderr } = await run(
        t,
        [{ trial: 'burn', with: settings, matrix: { system: systems } }],
        '--url',
        url,
      );
      for (const { id, status, reason } of document.cells) assert.equal(status, 'done', `${id}: ${reason}`);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        document.systems.map(({ name }) => name),
        systems,
      );
      for (const { durability, retention, version } of document.systems)
        assert.ok(durability !== '' && retention !== '' && version !== 'unknown');
      assert.equal(document.servers[0]?.own, false);
    });

    test('flows of others run in the shapes that they have, and others are skipped', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const system = kind === 'postgres' ? ['pg-boss', 'dbos'] : ['bullmq'];
      const settings = { store: kind, rate: 20, runs: 4, warmup: 1 };
      const group = { trial: 'flow', with: settings, matrix: { system, shape: ['linear3', 'conditional'] } };
      const { document } = await run(t, [group], '--url', url);
      for (const { id, status, reason, workload } of document.cells)
        assert.equal(status, workload.shape === 'linear3' ? 'done' : 'skipped', `${id}: ${reason}`);
    });

    test('a job of another system that is lost fails the run', async (t) => {
      const url = await serverUrl(t, kind);
      if (url === undefined) return;
      const system = kind === 'postgres' ? 'graphile-worker' : 'bullmq';
      const settings = { store: kind, system, jobs: 20, warmup: 0 };
      const ran = await run(t, [{ trial: 'burn', with: settings }], '--url', url, '--sabotage', 'lost');
      assert.equal(ran.code, 1);
      assert.match(String(onlyCell(ran).reason), new RegExp(`^${system}: .*1 jobs never ran`));
    });
  });

test('a histogram that was encoded and added is the one that recorded all', () => {
  const [one, other, all] = [
    new Durations([1, 2, 3]),
    new Durations([40, 50]),
    new Durations([1, 2, 3, 40, 50]),
  ];
  assert.deepEqual(new Durations().add(one.encoded()).add(other.encoded()).summary(), all.summary());
});
