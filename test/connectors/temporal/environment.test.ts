import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fromEnvironment } from '../../../src/connectors/environment.ts';
import {
  SCHEDULER_VARIABLES,
  unreadNames,
  WORKER_VARIABLES,
} from '../../../src/connectors/temporal/environment.ts';

describe('variables of longshore temporal', () => {
  test('all of a worker are read, and empty ones count as absent', () => {
    const env = {
      TEMPORAL_WORKER_NAMESPACE: 'orders',
      TEMPORAL_WORKER_TASK_QUEUE: 'benchmark',
      TEMPORAL_WORKER_TARGET_CPU: '0.6',
      TEMPORAL_WORKER_TARGET_RAM: '.5',
      TEMPORAL_WORKER_WORKFLOWS_MIN_SLOTS: '1',
      TEMPORAL_WORKER_WORKFLOWS_MAX_SLOTS: '1000',
      TEMPORAL_WORKER_ACTIVITIES_MIN_SLOTS: '2',
      TEMPORAL_WORKER_ACTIVITIES_MAX_SLOTS: '2000',
      TEMPORAL_WORKER_LOCAL_ACTIVITIES_MIN_SLOTS: '3',
      TEMPORAL_WORKER_LOCAL_ACTIVITIES_MAX_SLOTS: '',
      TEMPORAL_WORKER_MAX_CONCURRENT_WORKFLOW_TASK_POLLS: '200',
      TEMPORAL_WORKER_MAX_CONCURRENT_ACTIVITY_TASK_POLLS: '50',
      TEMPORAL_WORKER_NONSTICKY_TO_STICKY_POLL_RATIO: '0',
    };
    assert.deepEqual(fromEnvironment(WORKER_VARIABLES, env), {
      TEMPORAL_WORKER_NAMESPACE: 'orders',
      TEMPORAL_WORKER_TASK_QUEUE: 'benchmark',
      TEMPORAL_WORKER_TARGET_CPU: 0.6,
      TEMPORAL_WORKER_TARGET_RAM: 0.5,
      TEMPORAL_WORKER_WORKFLOWS_MIN_SLOTS: 1,
      TEMPORAL_WORKER_WORKFLOWS_MAX_SLOTS: 1000,
      TEMPORAL_WORKER_ACTIVITIES_MIN_SLOTS: 2,
      TEMPORAL_WORKER_ACTIVITIES_MAX_SLOTS: 2000,
      TEMPORAL_WORKER_LOCAL_ACTIVITIES_MIN_SLOTS: 3,
      TEMPORAL_WORKER_MAX_CONCURRENT_WORKFLOW_TASK_POLLS: 200,
      TEMPORAL_WORKER_MAX_CONCURRENT_ACTIVITY_TASK_POLLS: 50,
      TEMPORAL_WORKER_NONSTICKY_TO_STICKY_POLL_RATIO: 0,
    });
  });

  test('those of the load generator are read; bare times are seconds', () => {
    const env = {
      SCHEDULER_INFINITE_MODE: 'True',
      SCHEDULER_REPORT_INTERVAL: '2.5',
      SCHEDULER_MAX_RUNTIME: '1m',
      SCHEDULER_MESSAGE: ' hello ',
    };
    assert.deepEqual(fromEnvironment(SCHEDULER_VARIABLES, env), {
      SCHEDULER_INFINITE_MODE: true,
      SCHEDULER_REPORT_INTERVAL: 2_500,
      SCHEDULER_MAX_RUNTIME: 60_000,
      SCHEDULER_MESSAGE: 'hello',
    });
  });

  for (const [name, value, said] of [
    ['TEMPORAL_WORKER_TARGET_CPU', '90', /TARGET_CPU is "90"; expected .*0\.9, not 90/],
    ['TEMPORAL_WORKER_TARGET_RAM', '0', /TARGET_RAM/],
    ['TEMPORAL_WORKER_ACTIVITIES_MIN_SLOTS', '-1', /ACTIVITIES_MIN_SLOTS is -1/],
    ['TEMPORAL_WORKER_ACTIVITIES_MAX_SLOTS', 'many', /ACTIVITIES_MAX_SLOTS is "many"/],
    ['TEMPORAL_WORKER_NONSTICKY_TO_STICKY_POLL_RATIO', '1.5', /POLL_RATIO/],
  ] as const)
    test(`${name}=${value} is refused by name`, () => {
      assert.throws(() => fromEnvironment(WORKER_VARIABLES, { [name]: value }), {
        code: 'OPTION_INVALID',
        message: said,
      });
    });

  test('a misspelt name is refused with the one that was meant', () => {
    assert.throws(() => unreadNames({ TEMPORAL_WORKER_TARGET_CPUS: '0.9' }), {
      code: 'OPTION_INVALID',
      message: /did you mean TEMPORAL_WORKER_TARGET_CPU\?/,
    });
  });

  test('a name that is like none may be somebody else’s, and is told of', () => {
    const warnings = unreadNames({
      TEMPORAL_WORKER_SERVICE_HOST: '10.0.0.1',
      DEFAULT_TEMPORAL_URL: 'x',
      PATH: '/bin',
    });
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? '',
      /TEMPORAL_WORKER_SERVICE_HOST is not read here; known are TEMPORAL_WORKER/,
    );
  });
});
