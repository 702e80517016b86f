/**
 * What the documents show is true: every `ts` block is compiled, every whole program is run, every `npx longshore`
 * line of the README is carried out, and every relative link leads somewhere.
 *
 * A block whose first line is `// some/path.ts` is written to that path. A block without an import is a fragment: it
 * is compiled as if the README's first example stood above it.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { tool } from '../setup/tools.mjs';
import { Longshore } from '../src/connect.ts';
import { Flows } from '../src/flow/flows.ts';
import { AuditLog } from '../src/queue/audit-log.ts';
import { JobHandle } from '../src/queue/job-handle.ts';
import { Jobs } from '../src/queue/jobs.ts';
import { Queues } from '../src/queue/queues.ts';
import { Schedules } from '../src/schedule/schedules.ts';
import { Worker } from '../src/worker/worker.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDER = join(ROOT, '.longshore', `docs-test-${process.pid}`);
const FLAGS = ['--disable-warning=ExperimentalWarning'];

const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdownBelow('docs')];

interface Program {
  readonly page: string;
  readonly text: string;
  /** Where it is written. */
  readonly file: string;
}

const programs = PAGES.flatMap(programsOf);

describe('the documents', { timeout: 600_000 }, () => {
  before(() => {
    for (const { file, text } of programs) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, mapped(text, file));
    }
    writeFileSync(join(FOLDER, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  });

  after(() => rmSync(FOLDER, { recursive: true, force: true }));

  test('every block of TypeScript compiles', async () => {
    assert.ok(programs.length >= 5);
    await run(process.execPath, [tool('tsc'), '-p', FOLDER], ROOT);
  });

  test('the first example of the README is the quick start that the tests run', () => {
    const quickStart = readFileSync(join(ROOT, 'examples/quick-start.ts'), 'utf8');
    const shown = quickStart.replace(
      "'../src/index.ts'; // in your project: from 'longshore'",
      "'longshore';",
    );
    assert.equal(readme()[0]?.text, shown);
  });

  for (const program of programs.filter(isWhole)) {
    test(`${relative(FOLDER, program.file)} runs and ends by itself`, async () => {
      await run(process.execPath, [...FLAGS, program.file], dirname(program.file));
    });
  }

  test('the worker of the deployment guide answers probes, and ends at SIGTERM', async (t) => {
    const cwd = join(FOLDER, 'docs/guides/deployment.md');
    const env = { ...environment(), PORT: '0' };
    const worker = spawn(process.execPath, [...FLAGS, 'worker.ts'], { cwd, env });
    t.after(() => worker.kill('SIGKILL'));
    const ended = once(worker, 'exit');
    const port = await new Promise((resolve) => {
      let said = '';
      worker.stdout.setEncoding('utf8').on('data', (text) => {
        said += text;
        const found = /port: (\d+)/.exec(said);
        if (found !== null) resolve(found[1]);
      });
    });
    for (const probe of ['live', 'ready']) {
      const { status } = await fetch(`http://localhost:${port}/${probe}`);
      assert.equal(status, 200, probe);
    }
    worker.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null]);
  });

  test('the command lines of the README work, in the folder its programs made', async () => {
    const commands = [...page('README.md').matchAll(/^npx longshore .*/gm)].map(([line]) => line);
    assert.ok(commands.length >= 5);
    const cwd = join(FOLDER, 'README.md');
    const cli = [process.execPath, ...FLAGS, join(ROOT, 'src/cli/main.ts')]
      .map((part) => `'${part}'`)
      .join(' ');
    for (const command of commands) {
      const ended = await shell(command.replaceAll('npx longshore', cli), cwd);
      assert.equal(ended.code, command.includes('# refused') ? 1 : 0, `${command}\n${ended.output}`);
    }
  });

  test('the table of all verbs has those of the API, and no other', () => {
    const told = page('README.md').split('### All verbs')[1]?.split('###')[0] ?? '';
    const rows = [...told.matchAll(/^\| ([^|]+) \| ([^|]+) \|$/gm)].map(
      ([, on = '', verbs = '']) =>
        [on, [...verbs.matchAll(/`(\w+)`/g)].map(([, verb = '']) => verb).sort()] as const,
    );
    const verbs = Object.entries(VERBS_OF).map(([on, { prototype }]) => [on, verbsOf(on, prototype)]);
    assert.deepEqual(Object.fromEntries(rows.slice(1)), Object.fromEntries(verbs));
  });

  test('relative links lead to files that are there', () => {
    const broken = PAGES.flatMap((name) =>
      [...page(name).matchAll(/\]\((?!https?:|#)([^)#\s]+)[^)]*\)/g)]
        .map(([, target]) => target as string)
        .filter((target) => !existsSync(resolve(ROOT, dirname(name), target)))
        .map((target) => `${name}: ${target}`),
    );
    assert.deepEqual(broken, []);
  });
});

const VERBS_OF = {
  '`longshore`': Longshore,
  "a job's handle": JobHandle,
  '`longshore.jobs`': Jobs,
  '`longshore.queues`': Queues,
  '`longshore.flows`': Flows,
  '`longshore.schedules`': Schedules,
  '`longshore.audit`': AuditLog,
  'a worker': Worker,
} as const;

/** For the package's own parts. */
const INTERNAL = ['`longshore.flows` close', '`longshore.schedules` upsertAll'];

function verbsOf(on: string, prototype: object): string[] {
  const own = Object.entries(Object.getOwnPropertyDescriptors(prototype));
  return own
    .filter(([name, { value }]) => typeof value === 'function' && name !== 'constructor')
    .map(([name]) => name)
    .filter((name) => !INTERNAL.includes(`${on} ${name}`))
    .sort();
}

function programsOf(name: string): Program[] {
  return [...page(name).matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = ''], index) => {
    const path = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1] ?? `block-${index + 1}.ts`;
    return { page: name, text, file: join(FOLDER, name, path) };
  });
}

function readme(): Program[] {
  return programs.filter((program) => program.page === 'README.md');
}

/** Connects and closes: it can run as it stands. */
function isWhole({ text }: Program): boolean {
  return /^import /m.test(text) && text.includes('await connect(') && text.includes('longshore.close()');
}

/** With imports from the sources in place of the installed package, and a preamble where it is a fragment. */
function mapped(text: string, file: string): string {
  const source = (path: string): string =>
    relative(dirname(file), join(ROOT, 'src', path)).replaceAll('\\', '/');
  const whole = /^import /m.test(text) ? text : `${PREAMBLE}\n${text}\nexport {};\n`;
  return whole
    .replaceAll("from 'longshore'", `from '${source('index.ts')}'`)
    .replaceAll("from 'longshore/events'", `from '${source('telemetry/events.ts')}'`)
    .replaceAll("from 'longshore/store'", `from '${source('store/store.ts')}'`)
    .replaceAll("from 'longshore/testing'", `from '${source('testing/index.ts')}'`)
    .replaceAll("from 'longshore/prometheus'", `from '${source('telemetry/prometheus/index.ts')}'`)
    .replaceAll("from 'longshore/operaton'", `from '${source('connectors/operaton/index.ts')}'`)
    .replaceAll("from 'longshore/temporal'", `from '${source('connectors/temporal/index.ts')}'`)
    .replaceAll("from 'longshore/camunda'", `from '${source('connectors/camunda/index.ts')}'`)
    .replaceAll("from 'longshore/otel'", `from '${source('telemetry/otel/index.ts')}'`);
}

const PREAMBLE = `
import { z } from 'zod';
import { connect, defineTask } from 'longshore';
import type { JobHandle, Longshore, Worker } from 'longshore';
declare const longshore: Longshore;
declare const worker: Worker;
declare const job: JobHandle<{ bytes: number }>;
const thumbnail = defineTask({
  name: 'thumbnail',
  input: z.object({ path: z.string(), width: z.number() }),
  run: ({ input }) => ({ bytes: input.width }),
});`;

const TSCONFIG = {
  extends: relative(FOLDER, join(ROOT, 'tsconfig.json')),
  compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
  include: ['**/*.ts'],
  exclude: [],
};

function page(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8');
}

function markdownBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .sort();
}

async function run(file: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await promisify(execFile)(file, args, { cwd, env: environment() });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${args.join(' ')} failed\n${stdout}${stderr}`);
  }
}

function shell(command: string, cwd: string): Promise<{ code: number; output: string }> {
  const env = { ...environment(), LONGSHORE_STORE: 'sqlite:jobs.db' };
  return new Promise((done) => {
    execFile('sh', ['-c', command], { cwd, env }, (error, stdout, stderr) =>
      done({ code: error === null ? 0 : Number(error.code), output: stdout + stderr }),
    );
  });
}

function environment(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  return env;
}
