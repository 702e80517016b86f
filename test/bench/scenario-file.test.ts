import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Scenario } from '../../bench/src/scenarios/scenario.ts';
import { formatScenarios, parseScenarios, ScenariosInvalid } from '../../bench/src/suites/scenario-file.ts';
import { select } from '../../bench/src/suites/selection.ts';
import { makeSuite, SUITES, type Suite } from '../../bench/src/suites/suite.ts';

const GOOD = {
  phase: 'one',
  name: 'small',
  strategy: 'async',
  workload: 'cpu',
  jobs: 5,
  concurrency: 5,
  workSeconds: 0.5,
  jitter: 0,
  repeats: 1,
  timeoutSeconds: 30,
  jobTimeoutMs: 30_000,
} as const;

describe('a file of scenarios', () => {
  test('gives back what was written, for every suite', () => {
    for (const name of SUITES)
      assert.deepEqual(parseScenarios(formatScenarios(suite(name)), 'the file'), makeSuite(name));
  });

  const faults: readonly (readonly [string, object, RegExp])[] = [
    ['a number too small', { jobs: -1 }, /jobs is -1; expected a whole number from 1 to 1000000\./],
    ['a fraction', { repeats: 1.5 }, /repeats is 1\.5; expected a whole number from 1 to 1000\./],
    [
      'a text for a number',
      { workSeconds: '1' },
      /workSeconds is "1"; expected a number from 0\.001 to 3600\./,
    ],
    ['a share above one', { jitter: 2 }, /jitter is 2; expected a number from 0 to 1\./],
    ['a list for a number', { concurrency: [[1]] }, /concurrency is a list of 1; expected a whole number/],
    [
      'an unknown strategy',
      { strategy: 'fork' },
      /strategy is "fork"; expected "async", "thread", "process", "auto"\./,
    ],
    [
      'an unknown workload',
      { workload: null },
      /workload is null; expected "cpu", "io", "subprocess", "subprocess_threaded"\./,
    ],
    ['an empty name', { phase: ' ' }, /phase is " "; expected a name of 1 to 100 characters/],
    [
      'an escape sequence',
      { phase: '\u001b[2J' },
      /phase is "\\u001b\[2J"; expected a name .* none of them a control/,
    ],
    ['a misspelt field', { job: 5 }, /"job" is no field of it; expected nothing but phase, name, strategy/],
    ['a missing field', { timeoutSeconds: undefined }, /timeoutSeconds is missing; expected a number from 1/],
  ];
  for (const [what, wrong, complaint] of faults) {
    test(`with ${what} is refused, naming the scenario, the field, the value and what is expected`, () => {
      const [fault = '', ...others] = faultsOf([GOOD, { ...GOOD, name: 'second', ...wrong }]);
      assert.match(fault, /^scenario 2 "second": /);
      assert.match(fault, complaint);
      assert.deepEqual(others, []);
    });
  }

  test('says everything that is wrong with it at once', () => {
    const wrong = faultsOf([{ ...GOOD, jobs: 0 }, 7, { ...GOOD, jobs: 0 }]);
    assert.deepEqual(
      wrong.map((fault) => fault.split(';')[0]),
      [
        'scenario 1 "small": jobs is 0',
        'scenario 2: is 7',
        'scenario 3 "small": jobs is 0',
        'scenario 3 "small": name is "small", as that of scenario 1',
      ],
    );
  });

  test('has an end to what it says', () => {
    const message = refusal(JSON.stringify(file(Array.from({ length: 500 }, () => 7)))).message;
    assert.match(message, /… and 480 faults more\.$/);
    assert.equal(message.split('\n').length, 22);
  });

  test('of another version, without scenarios or with a name that no file can have is refused', () => {
    const said = refusal('{"schema":"longshore-scenarios/2","suite":"../up","scenarios":[]}').faults;
    assert.deepEqual(
      said.map((fault) => fault.split(' ')[0]),
      ['schema', 'suite', 'scenarios'],
    );
  });

  test('that is no JSON, or no object, is refused', () => {
    assert.match(refusal('{"schema"').message, /^mine\.json cannot be run:\n {2}It is no JSON: /);
    assert.match(refusal('[]').message, /The file is a list of 0; expected an object\.$/);
    assert.match(
      refusal(`{"schema":${'['.repeat(50_000)}${']'.repeat(50_000)}}`).message,
      /schema is a list of 1/,
    );
  });

  test('whatever is in it, is read or refused with ScenariosInvalid', () => {
    const field = fc.constantFrom(...Object.keys(GOOD), '__proto__', 'other');
    const row = fc.dictionary(field, fc.oneof(fc.jsonValue(), fc.constantFrom(...Object.values(GOOD))));
    const near = row.map((wrong) => ({ ...GOOD, ...wrong }));
    const rows = fc.array(fc.oneof(row, near, fc.jsonValue()), { maxLength: 4 });
    const text = fc.oneof(
      rows.map((some) => JSON.stringify(file(some))),
      fc.json(),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (tried) => {
        const read = readOrRefused(tried);
        if (read === null) return;
        assert.deepEqual(parseScenarios(formatScenarios(read), 'again'), read);
        for (const { jobs, repeats } of read.scenarios) assert.ok(jobs >= 1 && repeats >= 1);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a selection', () => {
  const names = (scenarios: readonly Scenario[]): string[] => scenarios.map(({ name }) => name);

  test('is the scenarios of the phases, in the order of the suite, and of them the first', () => {
    const phases = ['fast_subprocess', 'fast_baseline'];
    const all = select(suite('fast'), { phases, limit: null, scale: 1 });
    assert.deepEqual(names(all), [
      'fast_baseline_async',
      'fast_baseline_thread',
      'fast_subprocess',
      'fast_subprocess_threaded',
    ]);
    assert.deepEqual(select(suite('fast'), { phases, limit: 3, scale: 1 }), all.slice(0, 3));
  });

  test('of a phase that is not there names those that are', () => {
    assert.throws(
      () => select(suite('quick'), { phases: ['1_baseline', 'load'], limit: null, scale: 1 }),
      /Suite "quick" has no phase "load"; its phases are: 1_baseline, quick_concurrency, quick_workload\./,
    );
  });

  test('scales the work; the time limits grow with it and never shrink', () => {
    const only = (scale: number) => select(suite('minimal'), { phases: [], limit: 1, scale })[0];
    assert.deepEqual([only(0.01)?.workSeconds, only(0.01)?.timeoutSeconds], [0.005, 30]);
    assert.deepEqual(
      [only(3)?.workSeconds, only(3)?.timeoutSeconds, only(3)?.jobTimeoutMs],
      [1.5, 90, 90_000],
    );
  });
});

function suite(name: string): Suite {
  return makeSuite(name) ?? assert.fail(`no suite ${name}`);
}

function file(scenarios: readonly unknown[]): object {
  return { schema: 'longshore-scenarios/1', suite: 'mine', scenarios };
}

function faultsOf(scenarios: readonly unknown[]): readonly string[] {
  return refusal(JSON.stringify(file(scenarios))).faults;
}

function refusal(text: string): ScenariosInvalid {
  try {
    parseScenarios(text, 'mine.json');
  } catch (error) {
    if (error instanceof ScenariosInvalid) return error;
    throw error;
  }
  return assert.fail('it was read');
}

function readOrRefused(text: string): Suite | null {
  try {
    return parseScenarios(text, 'mine.json');
  } catch (error) {
    if (!(error instanceof ScenariosInvalid)) throw error;
    assert.ok(error.faults.length > 0 && error.message.length < 10_000);
    return null;
  }
}
