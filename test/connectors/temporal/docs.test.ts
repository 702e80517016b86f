/** The programs of docs/temporal.md, the SDK's and ours, do the same on a real server. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../../setup/services/free-port.mjs';
import { clientFor, temporalFor } from './server.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/temporal.md'), 'utf8');
const BLOCKS = [...PAGE.matchAll(/^```(\w+)\n(.*?)^```/gms)].map(([, language = '', text = '']) => ({
  language,
  text,
}));

describe('docs/temporal.md', { timeout: 300_000 }, () => {
  const sum = sumOf('a text');

  for (const program of ['sdk/worker.ts', 'worker.ts'])
    test(`${program} runs the workflow of the page`, async (t) => {
      const server = await temporalFor(t);
      if (server === null) return;
      const page = new Page(t, server.url);
      const worker = page.node([program]);
      const client = await clientFor(t, server.url);
      const run = { workflowId: randomUUID(), taskQueue: 'sums', args: ['a text'] };
      assert.equal(await client.workflow.execute('sumOf', run), sum);
      const exited = once(worker, 'exit');
      worker.kill('SIGTERM');
      assert.deepEqual(await exited, [0, null]);
    });

  test('the command line runs it as well', async (t) => {
    const server = await temporalFor(t);
    if (server === null) return;
    const page = new Page(t, server.url);
    const [line = ''] = /^longshore temporal work .*$/m.exec(PAGE) ?? [];
    const args = line.replace('9464', '0').split(' ').slice(1);
    assert.ok(args.includes('--workflows'));
    const worker = page.node([join(ROOT, 'src/cli/main.ts'), ...args]);
    const client = await clientFor(t, server.url);
    const run = { workflowId: randomUUID(), taskQueue: 'sums', args: ['a text'] };
    assert.equal(await client.workflow.execute('sumOf', run), sum);
    const exited = once(worker, 'exit');
    worker.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });

  test('its tuners are taken', async (t) => {
    const page = new Page(t, 'localhost:7233');
    page.write('slots.ts', blockWith("kind: 'fixed'"));
    assert.deepEqual(await once(page.node(['slots.ts']), 'exit'), [0, null]);
  });

  test('its endpoint has metrics of both', async (t) => {
    const server = await temporalFor(t);
    if (server === null) return;
    const page = new Page(t, server.url);
    const port = await freePort();
    page.write('metrics.ts', blockWith('serveMetrics').replaceAll('9464', String(port)));
    const program = page.node(['metrics.ts']);
    const exited = once(program, 'exit').then(() => assert.fail('the program ended'));
    const text = await Promise.race([exited, served(port)]);
    assert.match(text, /^longshore_slots/m);
    assert.match(text, /^temporal_worker_task_slots_used/m);
  });
});

/** The page's programs in a folder of their own, below the repository, whose packages they find. */
class Page {
  readonly #t: TestContext;
  readonly #folder: string;
  readonly #address: string;

  constructor(t: TestContext, address: string) {
    this.#t = t;
    this.#address = address;
    this.#folder = join(ROOT, '.longshore', `temporal-docs-${randomUUID()}`);
    t.after(() => rmSync(this.#folder, { recursive: true, force: true }));
    for (const { language, text } of BLOCKS) {
      const [, path] = /^\/\/ (\S+\.ts)\n/.exec(text) ?? [];
      if (language === 'ts' && path !== undefined) this.write(path, text);
    }
  }

  /** With imports of the sources in place of the package, and the test's server in place of the page's. */
  write(path: string, text: string): void {
    const source = (file: string): string => new URL(`../../../src/${file}`, import.meta.url).href;
    const file = join(this.#folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(
      file,
      text
        .replaceAll("'longshore/temporal'", `'${source('connectors/temporal/index.ts')}'`)
        .replaceAll("'longshore/prometheus'", `'${source('telemetry/prometheus/index.ts')}'`)
        .replaceAll("from 'longshore'", `from '${source('index.ts')}'`)
        .replaceAll("'localhost:7233'", `'${this.#address}'`),
    );
  }

  node(args: readonly string[]): ChildProcess {
    const address = { TEMPORAL_ADDRESS: this.#address, DEFAULT_TEMPORAL_URL: this.#address };
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
      cwd: this.#folder,
      env: { ...process.env, ...address },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    this.#t.after(() => child.kill('SIGKILL'));
    return child;
  }
}

function blockWith(words: string): string {
  const block = BLOCKS.find(({ language, text }) => language === 'ts' && text.includes(words));
  return block?.text ?? assert.fail(`docs/temporal.md has no block with ${words}`);
}

/** What the page's activity makes of a text. */
function sumOf(text: string): number {
  let sum = 0;
  for (const character of text) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return sum;
}

/** The page of metrics, as soon as there is one with both. */
async function served(port: number): Promise<string> {
  for (;;) {
    const text = await fetch(`http://127.0.0.1:${port}/metrics`)
      .then((response) => response.text())
      .catch(() => '');
    if (/^temporal_worker_task_slots_used/m.test(text)) return text;
  }
}
