import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { HANDLERS } from '../../bench/src/kit/handlers.ts';
import { kindOf } from '../../bench/src/kit/kinds.ts';
import { schemaText } from '../../bench/src/kit/schema-file.ts';
import { SYSTEMS } from '../../bench/src/kit/systems.ts';
import { judge } from '../../bench/src/kit/targets.ts';
import { TimeLeft } from '../../bench/src/kit/time-left.ts';
import { unitOf } from '../../bench/src/kit/trial.ts';
import { TRIALS } from '../../bench/src/kit/trials.ts';
import { parseWorkload, planOf } from '../../bench/src/kit/workload.ts';

const FOLDER = fileURLToPath(new URL('../../bench/workloads/', import.meta.url));
const ALL = { short: false, rounds: null, only: [] } as const;

const FILE = {
  name: 'mine',
  description: 'a test',
  rounds: 3,
  groups: [
    {
      trial: 'burn',
      with: { jobs: 100, store: 'sqlite' },
      matrix: { handler: ['none', 'wait-50'], workers: [1, 4] },
      by: { handler: { 'wait-50': { jobs: 10 } } },
      short: { with: { jobs: 5 }, matrix: { workers: [2] } },
    },
    { trial: 'memory', rounds: 1, short: { leaveOut: true } },
  ],
};

describe('a workload file', () => {
  const file = parseWorkload(JSON.stringify(FILE), 'mine.json');

  test('has a cell for each combination of its matrix, with what holds for each value', () => {
    const plans = planOf(file, ALL);
    assert.deepEqual(
      plans.map(({ id, settings, rounds }) => [id, settings.jobs, rounds]),
      [
        ['burn handler=none workers=1', 100, 3],
        ['burn handler=none workers=4', 100, 3],
        ['burn handler=wait-50 workers=1', 10, 3],
        ['burn handler=wait-50 workers=4', 10, 3],
        ['memory', undefined, 1],
      ],
    );
    assert.deepEqual(plans[3]?.settings, { jobs: 10, store: 'sqlite', handler: 'wait-50', workers: 4 });
  });

  test('has a short form, in one round, and can be narrowed', () => {
    const short = planOf(file, { ...ALL, short: true });
    assert.deepEqual(
      short.map(({ id, settings, rounds }) => [id, settings.jobs, rounds]),
      [
        ['burn handler=none workers=2', 5, 1],
        ['burn handler=wait-50 workers=2', 5, 1],
      ],
    );
    const only = planOf(file, {
      ...ALL,
      only: [
        ['workers', '4'],
        ['trial', 'burn'],
      ],
      rounds: 7,
    });
    assert.deepEqual(
      only.map(({ id, rounds }) => [id, rounds]),
      [
        ['burn handler=none workers=4', 7],
        ['burn handler=wait-50 workers=4', 7],
      ],
    );
  });

  test('that is none is refused with its name, the place and what is wrong', () => {
    assert.throws(() => parseWorkload('{', 'a.json'), /^Error: a\.json is no JSON/);
    const rounds = JSON.stringify({ ...FILE, rounds: 0 });
    assert.throws(() => parseWorkload(rounds, 'b.json'), /^Error: b\.json: \/rounds must be/);
    const unknown = JSON.stringify({ ...FILE, groups: [{ trial: 'burn', matirx: {} }] });
    assert.throws(
      () => parseWorkload(unknown, 'c.json'),
      /^Error: c\.json: \/groups\/0\/matirx is not known/,
    );
  });

  for (const name of readdirSync(FOLDER))
    test(`${name} names trials, systems, stores, handlers and kinds that there are, and no cell twice`, () => {
      const shipped = parseWorkload(readFileSync(join(FOLDER, name), 'utf8'), name);
      assert.equal(`${shipped.name}.json`, name);
      for (const short of [false, true]) {
        const plans = planOf(shipped, { ...ALL, short });
        assert.equal(new Set(plans.map(({ id }) => id)).size, plans.length);
        for (const { id, trial, settings } of plans) {
          assert.ok(trial in TRIALS, id);
          const system = SYSTEMS[String(settings.system ?? 'longshore')];
          assert.ok(system?.stores.includes(settings.store as never) || trial === 'flow', id);
          assert.ok(HANDLERS.includes((settings.handler ?? 'none') as never), id);
          assert.ok(kindOf(String(settings.kind ?? 'plain')), id);
        }
      }
    });
});

describe('targets', () => {
  const rule = {
    name: 'quick',
    where: { trial: 'burn', workers: 1 },
    figure: 'processPerSecond',
    operator: '>',
    limit: 100,
    unit: '1/s',
  } as const;
  const cell = (values: number[], workers = 1) => ({
    id: `burn workers=${workers}`,
    system: 'longshore',
    benchmark: 'burn',
    workload: { workers },
    status: 'done' as const,
    figures: { processPerSecond: { unit: '1/s', better: 'higher' as const, values } },
  });

  test('are judged by the median of the rounds of each cell they speak of', () => {
    const found = judge([rule], [cell([90, 120, 130]), cell([500], 4)]);
    assert.deepEqual(
      found.map(({ cell: id, value, passed }) => [id, value, passed]),
      [['burn workers=1', 120, true]],
    );
    assert.equal(judge([rule], [cell([90, 80, 130])])[0]?.passed, false);
  });

  test('fail where nothing was measured', () => {
    const [found] = judge([rule], [{ ...cell([]), figures: {} }]);
    assert.deepEqual([found?.value, found?.passed], [null, false]);
  });
});

test('time left is what cells took before, and the average for others', () => {
  const plan = (id: string, rounds: number) => ({ id, trial: 'burn', settings: {}, rounds });
  const [one, other] = [plan('one', 3), plan('other', 3)];
  const left = new TimeLeft([one, other], () => 0);
  assert.deepEqual([left.trials, left.seconds(), left.text()], [6, null, '']);
  left.done(one, 2_000);
  assert.equal(left.seconds(), 10);
  left.done(other, 40_000);
  assert.deepEqual([left.seconds(), left.text()], [84, '1:24 left,']);
  assert.equal(new TimeLeft([one], () => 2).trials, 1);
});

test('the ending of a figure says its unit and which way is better', () => {
  assert.deepEqual(unitOf('processPerSecond'), { unit: '1/s', better: 'higher' });
  assert.deepEqual(unitOf('enqueueToStartMs.p99'), { unit: 'ms', better: 'lower' });
  assert.deepEqual(unitOf('walBytesPerJob'), { unit: 'B', better: 'lower' });
  assert.deepEqual(unitOf('ranOnOthersCount'), { unit: '', better: 'neither' });
});

test('bench/result.schema.json is the schema of the documents that are written', () => {
  const file = readFileSync(new URL('../../bench/result.schema.json', import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(file), JSON.parse(schemaText()), 'run: npm run -s bench -- schema');
});
