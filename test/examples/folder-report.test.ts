/** The main job as its users run it: real processes over generated folders, stopped and killed at exact events. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Summary } from '../../examples/folder-report/run.ts';
import { connect, type JobState, type JobView } from '../../src/index.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'examples/folder-report/main.ts');
const CLI = join(ROOT, 'src/cli/main.ts');
const FLAGS = ['--disable-warning=ExperimentalWarning', `--import=${join(ROOT, 'test/examples/witness.ts')}`];
const temporary = realpathSync(mkdtempSync(join(tmpdir(), 'longshore-folder-report-test-')));

after(() => rmSync(temporary, { recursive: true, force: true }));

describe('folder-report', { timeout: 110_000 }, () => {
  test('killed while enqueueing and again half way, it finishes the rest and repeats nothing that was settled', async () => {
    const files = 2_500;
    const place = newPlace(files);
    // The report, the plan, the two deliberate jobs, and the second of three batches of files.
    const first = await start(place, { signal: 'SIGKILL store.enqueue 6', witness: 'first' });
    assert.equal(first.signal, 'SIGKILL');
    const settledFirst = await ended(place);
    const second = await start(place, { signal: 'SIGKILL job.completed 1000', witness: 'second' });
    assert.equal(second.signal, 'SIGKILL');
    const settledSecond = await ended(place);
    assert.ok(settledSecond.length >= 1_000 && settledSecond.length < files);
    const third = await start(place, { witness: 'third' });
    assert.equal(third.code, 0, third.stderr);

    const startedSecond = witnessed(place, 'second', 'job.started');
    const startedThird = witnessed(place, 'third', 'job.started');
    assert.deepEqual(
      settledFirst.filter(({ id }) => startedSecond.has(id) || startedThird.has(id)),
      [],
    );
    assert.deepEqual(
      settledSecond.filter(({ id }) => startedThird.has(id)),
      [],
    );
    const jobs = await ended(place);
    const paths = jobs.filter(({ task }) => task === 'folder-report.file').map(({ input }) => input);
    assert.equal(new Set(paths.map((input) => JSON.stringify(input))).size, files + 1);
    assert.equal(paths.length, files + 1);

    const summary = summaryOf(third);
    assert.equal(summary.continued, true);
    assert.equal(summary.report.files, files);
    assert.equal(summary.report.bytes, place.bytes);
    assert.equal(summary.jobs.completed, files + 3);
    assert.equal(summary.jobs.failed, 1);
    assert.match(third.stderr, /Continuing the run of .*: \d+ jobs have ended/);
  });

  test('a finished run tells all of it, and the next start begins a new one', async () => {
    const place = newPlace(20);
    const { code, stdout, stderr } = await start(place, { json: false });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /New run/);
    assert.match(stdout, /23 completed, 1 failed/);
    for (const part of [
      /24 jobs in [\d.]+ s, \d+ jobs\/s/,
      /waiting +p50 .* p95 .* p99/,
      /running +p50 .* p95 .* p99/,
      /Largest files\n.* B +19\.txt\n/,
      /Slowest files\n.* ms +\d+\.txt\n/,
      /folder-report\.flaky: completed at attempt 3/,
      /the one meant to fail: failed at attempt 1\. Cannot read .*: it is a folder, not a file \(EISDIR\)/,
    ])
      assert.match(stdout, part);
    const again = await start(place);
    assert.equal(again.code, 0);
    assert.equal(summaryOf(again).continued, false);
    assert.equal(summaryOf(again).report.files, 20);
  });

  test('the commands it prints work', async () => {
    const place = newPlace(3);
    const { stdout } = await start(place, { json: false });
    const commands = stdout.match(/(?<=npm run -s longshore -- ).*/g) ?? [];
    assert.equal(commands.length, 4);
    // It serves until it is stopped: test/cli/serve.test.ts.
    assert.match(commands.pop() ?? '', /^dashboard --store sqlite:/);
    for (const command of commands) {
      const { code, stdout, stderr } = await run([CLI, ...command.split(' ')]);
      assert.equal(code, 0, `${command}: ${stderr}`);
      assert.ok(stdout.length > 0, command);
    }
  });

  test('SIGINT stops it gracefully, and the next start goes on', async () => {
    const place = newPlace(500);
    const stopped = await start(place, { signal: 'SIGINT job.completed 10', witness: 'stopped' });
    assert.equal(stopped.code, 130, stopped.stderr);
    assert.equal(stopped.stdout, '');
    assert.match(stopped.stderr, /Stopped\. Start it again on the same folder to go on\./);
    const settled = await ended(place);
    assert.ok(settled.length >= 10 && settled.length < 500);
    const goneOn = await start(place, { witness: 'gone-on' });
    assert.equal(goneOn.code, 0, goneOn.stderr);
    assert.equal(summaryOf(goneOn).report.files, 500);
    const repeated = witnessed(place, 'gone-on', 'job.started');
    assert.deepEqual(
      settled.filter(({ id }) => repeated.has(id)),
      [],
    );
  });

  test('two at once on one folder share the work and end with the same report', async () => {
    const place = newPlace(200);
    const ends = await Promise.all([start(place, { witness: 'one' }), start(place, { witness: 'two' })]);
    const [one, two] = ends.map((end) => summaryOf(end));
    assert.deepEqual(
      ends.map(({ code }) => code),
      [0, 0],
    );
    if (one?.queue === two?.queue) assert.deepEqual(one?.report, two?.report);
    for (const summary of [one, two]) assert.equal(summary?.report.files, 200);
  });

  test("it reads every file below the folder, large ones too, and leaves out what is not the user's", async () => {
    const { folder } = newPlace(1);
    const large = randomBytes(3 * 1_048_576);
    const content: Record<string, Buffer> = {
      'large.bin': large,
      'a/b/c.txt': Buffer.from('nested'),
      'with space/ü.txt': Buffer.from('named'),
      '.git/config': Buffer.from('not reported'),
      'a/node_modules/x/index.js': Buffer.from('not reported'),
      '.longshore/other.db': Buffer.from('not reported'),
    };
    for (const [path, bytes] of Object.entries(content)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), bytes);
    }
    symlinkSync(join(folder, 'large.bin'), join(folder, 'link'));
    // Its store lies in the folder, too.
    const place = { folder, storeUrl: `sqlite:${join(folder, 'jobs.db')}`, bytes: 0 };
    const { code, stdout, stderr } = await start(place);
    assert.equal(code, 0, stderr);
    const { report } = JSON.parse(stdout) as Summary;
    assert.equal(report.others, 1);
    const results = new Map<string, { sha256: string; gzipBytes: number }>();
    for (const { task, state, input, result } of await ended(place)) {
      if (task !== 'folder-report.file' || state !== 'completed') continue;
      results.set(relative(folder, (input as { path: string }).path), result as never);
    }
    const expected = ['0.txt', 'large.bin', 'a/b/c.txt', 'with space/ü.txt'];
    assert.deepEqual([...results.keys()].sort(), expected.map((path) => join(path)).sort());
    assert.equal(results.get('large.bin')?.sha256, createHash('sha256').update(large).digest('hex'));
    // Random bytes do not get smaller.
    assert.ok((results.get('large.bin')?.gzipBytes ?? 0) > large.length);
    assert.equal(report.largest[0]?.path, 'large.bin');
  });

  test('a file that cannot be read, beside the deliberate one, makes the exit code 1 and is named', {
    skip: process.platform !== 'linux' && 'needs a file system that takes any bytes as a name',
  }, async () => {
    const place = newPlace(2);
    writeFileSync(Buffer.concat([Buffer.from(`${place.folder}/`), Buffer.from([0xff, 0xfe])]), 'x');
    const { code, stdout } = await start(place);
    const { report, ok } = JSON.parse(stdout) as Summary;
    assert.equal(code, 1);
    assert.equal(ok, false);
    assert.equal(report.files, 2);
    assert.equal(report.failed, 2);
    const [failure] = report.failures.filter(({ deliberate }) => !deliberate);
    assert.match(failure?.reason ?? '', /its name is not valid UTF-8 \(ENOENT\)/);
  });

  test('an empty folder is a run of no files', async () => {
    const place = newPlace(0);
    const { code, stdout } = await start(place, { json: false });
    assert.equal(code, 0);
    assert.match(stdout, /files +0, 0 B/);
  });

  test('wrong usage is said in one line, with exit code 2', async () => {
    const wrong: [string[], RegExp][] = [
      [[join(temporary, 'nowhere')], /cannot report on .*nowhere: there is nothing of that name\n$/],
      [[MAIN], /cannot report on .*main\.ts: it is not a folder\n$/],
      [['--colour'], /unknown option '--colour'\n$/],
      [['--concurrency', '0'], /Expected a whole number from 1\.\n$/],
      [['one', 'two'], /too many arguments/],
    ];
    for (const [args, message] of wrong) {
      const { code, stdout, stderr } = await run([MAIN, ...args]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stdout, '');
    }
  });
});

interface Place {
  readonly folder: string;
  readonly storeUrl: string;
  /** Of all files together. */
  readonly bytes: number;
}

let places = 0;

/** A folder with that many files, each one byte longer than the one before, and a store beside it. */
function newPlace(files: number): Place {
  places += 1;
  const root = join(temporary, String(places));
  const folder = join(root, 'files');
  mkdirSync(folder, { recursive: true });
  for (let size = 0; size < files; size += 1) writeFileSync(join(folder, `${size}.txt`), 'x'.repeat(size));
  return { folder, storeUrl: `sqlite:${join(root, 'jobs.db')}`, bytes: (files * (files - 1)) / 2 };
}

interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(
  { folder, storeUrl }: Place,
  options: { readonly signal?: string; readonly witness?: string; readonly json?: boolean } = {},
): Promise<End> {
  const { signal, witness, json = true } = options;
  return run([MAIN, folder, '--store', storeUrl, ...(json ? ['--json'] : [])], {
    ...(signal === undefined ? {} : { WITNESS_SIGNAL: signal }),
    ...(witness === undefined ? {} : { WITNESS_FILE: witnessFile(storeUrl, witness) }),
  });
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<End> {
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...FLAGS, ...args],
      { cwd: temporary, env: { ...inherited, ...env } },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, signal: error?.signal ?? null, stdout, stderr });
      },
    );
  });
}

function summaryOf({ stdout, stderr }: End): Summary {
  assert.notEqual(stdout, '', stderr);
  return JSON.parse(stdout) as Summary;
}

/** All jobs that are settled for good, read from the store while no worker is there. */
async function ended({ storeUrl }: Place): Promise<JobView[]> {
  const state: JobState[] = ['completed', 'failed', 'cancelled'];
  const longshore = await connect(storeUrl);
  const all: JobView[] = [];
  let cursor: string | null = null;
  do {
    const page: { jobs: JobView[]; cursor: string | null } = await longshore.jobs.list({
      state,
      limit: 1_000,
      ...(cursor === null ? {} : { cursor }),
    });
    all.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== null);
  await longshore.close();
  return all;
}

function witnessFile(storeUrl: string, witness: string): string {
  return `${storeUrl.slice('sqlite:'.length)}.${witness}.jsonl`;
}

function witnessed({ storeUrl }: Place, witness: string, event: string): Set<string> {
  const lines = readFileSync(witnessFile(storeUrl, witness), 'utf8').trimEnd().split('\n');
  const seen = lines.map((line) => JSON.parse(line) as { event: string; id: string });
  return new Set(seen.filter((entry) => entry.event === event).map(({ id }) => id));
}
