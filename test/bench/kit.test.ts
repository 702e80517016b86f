import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Durations } from '../../bench/src/histogram.ts';
import type { KitDocument } from '../../bench/src/kit/document.ts';
import { bench, temporaryFolder } from './bench-process.ts';
import { BURN, onlyCell, run } from './kit-run.ts';

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

  test('handlers in threads and processes are counted where they ran', async (t) => {
    const group = { trial: 'burn', with: { ...BURN, hosts: 2 }, matrix: { strategy: ['thread', 'process'] } };
    const { document, code, stderr } = await run(t, [group]);
    for (const { id, status, reason } of document.cells) assert.equal(status, 'done', `${id}: ${reason}`);
    assert.equal(code, 0, stderr);
    const ran = await run(t, [{ ...group, matrix: { strategy: ['thread'] } }], '--sabotage', 'repeated');
    assert.match(String(onlyCell(ran).reason), /1 jobs ran more than once/);
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

test('a histogram that was encoded and added is the one that recorded all', () => {
  const [one, other, all] = [
    new Durations([1, 2, 3]),
    new Durations([40, 50]),
    new Durations([1, 2, 3, 40, 50]),
  ];
  assert.deepEqual(new Durations().add(one.encoded()).add(other.encoded()).summary(), all.summary());
});
