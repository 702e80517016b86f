import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withEnvironment } from '../../../src/connectors/operaton/environment.ts';
import { attemptsOf } from '../../../src/connectors/operaton/external-task.ts';
import { type OperatonOptions, operatonWorker } from '../../../src/connectors/operaton/index.ts';
import { readVariables, writeVariables } from '../../../src/connectors/operaton/variables.ts';
import { defineTask } from '../../../src/index.ts';

const task = defineTask({ name: 'nothing', run: () => null });
const URL_GIVEN = 'http://127.0.0.1:1/engine-rest';

describe('options of a worker for Operaton', () => {
  for (const { given, says } of [
    {
      given: { topics: { a: task } },
      says: /^url is undefined; expected the address .* \(or OPERATON_URL\)/,
    },
    { given: { url: 'localhost:8080', topics: { a: task } }, says: /^url is "localhost:8080"; expected/ },
    {
      given: { url: 'http://me:secret@host/x', topics: { a: task } },
      says: /^url is "http:\/\/host\/x"; expected an address without a user name/,
    },
    { given: { url: URL_GIVEN, topics: {} }, says: /^topics is an object .*at least one task/ },
    {
      given: { url: URL_GIVEN, topics: { a: {} } },
      says: /^topics\.a\.task is undefined; expected what defineTask/,
    },
    {
      given: { url: URL_GIVEN, topics: { a: { task, lockMS: 5 } } },
      says: /^topics\.a has no option "lockMS"; did you mean "lockMs"\?/,
    },
    {
      given: { url: URL_GIVEN, topics: { a: { task, types: { x: 'Int' } } } },
      says: /^topics\.a\.types\.x is "Int"; expected one of String/,
    },
    {
      given: { url: URL_GIVEN, topics: { a: task }, lockMs: 100 },
      says: /^lockMs is 100; expected at least 500/,
    },
    {
      given: { url: URL_GIVEN, topics: { a: task }, pollMs: 2e6 },
      says: /^pollMs is 2000000; expected at most 30 minutes/,
    },
    {
      given: { url: URL_GIVEN, topics: { a: task }, auth: { username: 'ana' } },
      says: /^auth is "\{ username \}"; expected \{ username, password \} or \{ token \}/,
    },
    {
      given: { url: URL_GIVEN, topics: { a: task }, lockDuration: 5 },
      says: /^operatonWorker has no option "lockDuration"/,
    },
    { given: { url: URL_GIVEN, topics: { a: task }, concurrency: 0 }, says: /^concurrency is 0/ },
  ]) {
    test(`refused with ${says.source}`, () => {
      assert.throws(() => operatonWorker(given as OperatonOptions), {
        code: 'OPTION_INVALID',
        message: says,
      });
    });
  }

  test('variables of the environment are weaker than options', () => {
    const env = {
      OPERATON_URL: 'http://engine:8080/engine-rest',
      OPERATON_USERNAME: 'ana',
      OPERATON_PASSWORD: 'geheim',
      OPERATON_WORKER_NAME: 'billing',
      OPERATON_WORKER_LOCK_MS: '1m',
      OPERATON_WORKER_POLL_MS: '2s',
      OPERATON_WORKER_REQUEST_TIMEOUT_MS: '9000',
      OPERATON_WORKER_REPORTS_MAX: '4',
      OPERATON_WORKER_TENANT_IDS: 'a, b',
    };
    assert.deepEqual(
      withEnvironment({ topics: { t: task }, pollMs: 1, concurrency: undefined } as never, env),
      {
        url: 'http://engine:8080/engine-rest',
        auth: { username: 'ana', password: 'geheim' },
        name: 'billing',
        lockMs: 60_000,
        pollMs: 1,
        requestTimeoutMs: 9_000,
        reportsMax: 4,
        tenantIds: ['a', 'b'],
        topics: { t: task },
      },
    );
  });

  test('a variable that there is not is refused, and the one that was meant is named', () => {
    assert.throws(() => withEnvironment({ topics: {} }, { OPERATON_WORKER_LOCKMS: '1' }), {
      code: 'OPTION_INVALID',
      message:
        /There is no environment variable "OPERATON_WORKER_LOCKMS"; did you mean "OPERATON_WORKER_LOCK_MS"\?/,
    });
    assert.throws(() => withEnvironment({ topics: {} }, { OPERATON_USERNAME: 'ana' }), {
      message: /^OPERATON_PASSWORD is undefined/,
    });
    assert.throws(() => withEnvironment({ topics: {} }, { OPERATON_WORKER_REPORTS_MAX: 'many' }), {
      message: /^OPERATON_WORKER_REPORTS_MAX is "many"; expected a whole number/,
    });
  });
});

describe('attempts', () => {
  for (const [retries, attempts, expected] of [
    [null, 3, { attempt: 1, attemptsMax: 3, left: 2 }],
    [2, 3, { attempt: 2, attemptsMax: 3, left: 1 }],
    [1, 3, { attempt: 3, attemptsMax: 3, left: 0 }],
    // Somebody gave it more, or the task has fewer than it had.
    [5, 3, { attempt: 1, attemptsMax: 5, left: 4 }],
    [0, 3, { attempt: 3, attemptsMax: 3, left: 0 }],
    [null, 1, { attempt: 1, attemptsMax: 1, left: 0 }],
  ] as const) {
    test(`${retries} retries of ${attempts} attempts`, () => {
      assert.deepEqual(attemptsOf({ retries }, attempts), expected);
    });
  }
});

describe('variables', () => {
  test('each type is read as the JSON that a schema expects of it', () => {
    const read = readVariables({
      json: { type: 'Json', value: '{"a":[1]}' },
      object: { type: 'Object', value: '[1]', valueInfo: { serializationDataFormat: 'application/json' } },
      java: {
        type: 'Object',
        value: 'rO0AB',
        valueInfo: { serializationDataFormat: 'application/x-java-serialized-object' },
      },
      date: { type: 'Date', value: '2030-01-31T09:00:00.000+0100' },
      bytes: { type: 'Bytes', value: 'aGVsbG8=' },
      file: { type: 'File', value: null, valueInfo: { filename: 'a.pdf' } },
      nothing: { type: 'Null', value: null },
      long: { type: 'Long', value: 7 },
      yes: { type: 'Boolean', value: true },
    });
    assert.deepEqual(read, {
      json: { a: [1] },
      object: [1],
      java: 'rO0AB',
      date: '2030-01-31T08:00:00.000Z',
      bytes: 'aGVsbG8=',
      file: { filename: 'a.pdf' },
      nothing: null,
      long: 7,
      yes: true,
    });
    assert.throws(() => readVariables({ bad: { type: 'Json', value: '{' } }), {
      code: 'INPUT_INVALID',
      message: /^The variable "bad" is of type Json, and its value cannot be read/,
    });
  });

  test('a value is written as the type that it suggests', () => {
    const written = writeVariables(
      {
        int: 2 ** 31 - 1,
        long: 2 ** 31,
        double: 0.5,
        huge: 1e300,
        list: [],
        text: '',
        yes: false,
        none: null,
      },
      {},
    );
    assert.deepEqual(
      Object.entries(written).map(([name, { type }]) => `${name} ${type}`),
      [
        'int Integer',
        'long Long',
        'double Double',
        'huge Double',
        'list Json',
        'text String',
        'yes Boolean',
        'none Null',
      ],
    );
    assert.deepEqual(writeVariables(7, {}), { result: { value: 7, type: 'Integer' } });
    assert.deepEqual(writeVariables({ a: 1 }, { into: 'whole' }), {
      whole: { value: '{"a":1}', type: 'Json' },
    });
    assert.deepEqual(writeVariables(undefined, { into: 'whole' }), {});
  });

  for (const [type, value] of [
    ['Integer', 2 ** 31],
    ['Integer', 'seven'],
    ['Short', 40_000],
    ['Long', '9223372036854775808'],
    ['Boolean', 'yes'],
    ['Date', 'tomorrow'],
    ['Bytes', 'not base64!'],
    ['Double', '0.5'],
    ['Xml', 5],
  ] as const) {
    test(`${JSON.stringify(value)} is no ${type}`, () => {
      assert.throws(() => writeVariables({ x: value }, { types: { x: type } }), {
        code: 'VARIABLE_INVALID',
        message: new RegExp(`^The result's "x" is .*, which a variable of type ${type} cannot hold`),
      });
    });
  }
});
