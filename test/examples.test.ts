/** Every small example is run as it stands, in a folder of its own, and says what it is expected to say. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FOLDER = fileURLToPath(new URL('../examples', import.meta.url));
const LINES_MAX = 60;

const EXPECTED: Readonly<Record<string, string>> = {
  'quick-start.ts': `
a.png takes 20000 bytes
`,
  'retries-and-dead-letters.ts': `
JOB_FAILED a negative amount will not become positive
failed [
  '1: the bank asks for patience',
  '2: the bank is closed',
  '3: the bank is closed'
]
redriven: { amount: 500 }
still dead: [ { amount: -1 } ]
`,
  'unique-keys.ts': `
existing: existing, same job: true, its input: first
replace: replaced, same job: true, its input: second
debounce: replaced, same job: true, its input: second
throttle: existing, same job: true, its input: first
reject: UNIQUE_CONFLICT
`,
  'order-flow.ts': `
paid: parcel with lamp from shelf 3 and desk from shelf 3, approved by Ada
recalled: parcel with pen from shelf 3, approved by nobody
released: [ 'pen from shelf 3' ]
step 'charge' failed: the bank refuses the card
`,
  'durable-steps.ts': `
reserving a lamp
charging, attempt 1
charging, attempt 2
from shelf 3, approved by Ada, receipt 4711
`,
  'priorities-and-delays.ts': `
before all others
high, that is -10
first of priority 0
second of priority 0
low, that is 10
a moment later
tomorrow
`,
  'cancel-and-timeout.ts': `
JOB_FAILED after one attempt
JOB_TIMED_OUT
JOB_CANCELLED
cleaning up / cancel by ada because the customer left
`,
  'graceful-shutdown.ts': `
500 ms: completed, attempts used: 1
500 ms: completed, attempts used: 1
60000 ms: ready, attempts used: 0
500 ms: ready, attempts used: 0
`,
  'events-and-logs.ts': `
resize failed at attempt 1 (out of luck), again in 10 ms
resize completed at attempt 2
log: opening {"attempt":1}, opening {"attempt":2}
progress: { percent: 50 } errors kept: 1 store was called: true
`,
  'embedded-in-http-server.ts': `
{ state: 'completed', result: { sentTo: 'ada@example.org' } }
422 {
  error: 'The input of task "welcome" does not match its schema: email: Invalid email address (got "nonsense").'
}
`,
};

describe('the examples', { concurrency: 2 }, () => {
  test('all are run here, and none is longer than a page', () => {
    const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ts'));
    assert.deepEqual(names.sort(), Object.keys(EXPECTED).sort());
    for (const name of names) {
      const lines = readFileSync(join(FOLDER, name), 'utf8').split('\n').length;
      assert.ok(lines < LINES_MAX, `${name} has ${lines} lines`);
    }
  });

  for (const [name, expected] of Object.entries(EXPECTED)) {
    test(`${name} runs and ends by itself`, { timeout: 60_000 }, async () => {
      const cwd = mkdtempSync(join(tmpdir(), 'longshore-example-'));
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      try {
        const args = ['--disable-warning=ExperimentalWarning', join(FOLDER, name)];
        const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd, env });
        assert.equal(stdout.trim(), expected.trim());
        assert.equal(stderr, '');
      } finally {
        rmSync(cwd, { recursive: true, force: true });
      }
    });
  }
});
