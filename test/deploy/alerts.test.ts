/** The alert rules of deploy/ and whom they reach, tried with a real Prometheus and a real Alertmanager over a real program. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startAlertmanager } from '../../setup/services/alertmanager.mjs';
import {
  ALERTMANAGER_MISSING,
  alertmanagerProgram,
  builtAlertmanager,
} from '../../setup/services/alertmanager-program.mjs';
import { startPrometheus } from '../../setup/services/prometheus.mjs';
import { connect, defineTask } from '../../src/index.ts';
import { prometheusMetrics, serveMetrics } from '../../src/telemetry/prometheus/index.ts';
import { eventually, temporaryFolder } from '../stage.ts';
import { programOf } from '../telemetry/programs.ts';

const run = promisify(execFile);
const cwd = fileURLToPath(new URL('../../deploy/prometheus/', import.meta.url));
const RULES = readFileSync(join(cwd, 'alerts.yml'), 'utf8');

before(async () => {
  if (process.env.CI) await builtAlertmanager();
});

test('the alert rules are sound, and fire when they are meant to', async (t) => {
  const promtool = await programOf(t, 'promtool');
  if (promtool === null) return;
  await run(promtool, ['check', 'rules', 'alerts.yml'], { cwd });
  await run(promtool, ['test', 'rules', 'alerts.test.yml'], { cwd });
});

test('each alert has a case in which it fires and one in which it does not', () => {
  const cases = readFileSync(join(cwd, 'alerts.test.yml'), 'utf8').split(/^ {6}- eval_time:/m);
  const names = [...RULES.matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
  assert.ok(names.length > 0);
  for (const name of names) {
    const own = cases.filter((text) => text.includes(`alertname: ${name}\n`));
    assert.ok(
      own.some((text) => text.includes('exp_labels')),
      `${name} never fires in alerts.test.yml`,
    );
    assert.ok(
      own.some((text) => text.includes('exp_alerts: []')),
      `${name} always fires in alerts.test.yml`,
    );
  }
});

test('Alertmanager takes its configuration, and each receiver is reached', async (t) => {
  const amtool = await programOf(t, 'amtool');
  if (amtool === null) return;
  await run(amtool, ['check-config', 'alertmanager.yml'], { cwd });
  const receiverOf = async (severity: string): Promise<string> => {
    const args = ['config', 'routes', 'test', '--config.file=alertmanager.yml', `severity=${severity}`];
    return (await run(amtool, args, { cwd })).stdout.trim();
  };
  assert.deepEqual([await receiverOf('critical'), await receiverOf('warning')], ['on-call', 'operators']);
});

test('an alert that fires reaches Alertmanager, and is over when its cause is', {
  timeout: 120_000,
}, async (t) => {
  if (alertmanagerProgram() === undefined) return t.skip(ALERTMANAGER_MISSING);
  if ((await programOf(t, 'prometheus')) === null) return;
  const longshore = await connect('memory:', { logger: false });
  t.after(() => longshore.close());
  const metrics = await prometheusMetrics(longshore);
  const server = await serveMetrics(metrics, { port: 0 });
  t.after(() => server.close());
  const manager = await startAlertmanager({ config: join(cwd, 'alertmanager.yml') });
  t.after(() => manager.stop());
  // The same rules, without their patience.
  const rules = join(await temporaryFolder(t), 'alerts.yml');
  writeFileSync(rules, RULES.replaceAll(/for: \d+m/g, 'for: 0s'));
  const prometheus = await startPrometheus({
    targets: [`127.0.0.1:${server.port}`],
    rules: [rules],
    alertmanagers: [`127.0.0.1:${manager.port}`],
  });
  t.after(() => prometheus.stop());
  const told = async (): Promise<readonly Alert[]> => {
    const response = await fetch(`${manager.url}/api/v2/alerts?filter=alertname=LongshoreNobodyTells`);
    return (await response.json()) as readonly Alert[];
  };
  await eventually(async () => (await told()).length === 1);
  const [alert] = await told();
  assert.equal(alert?.labels.severity, 'critical');
  assert.equal(alert?.annotations.summary, 'No worker leads, or none is scraped');
  assert.deepEqual(alert?.receivers, [{ name: 'on-call' }]);
  const quiet = defineTask({ name: 'quiet', run: () => undefined });
  const worker = longshore.worker({ tasks: [quiet] });
  await worker.start();
  await longshore.enqueue(quiet, undefined);
  await eventually(async () => (await told()).length === 0);
  await worker.stop();
});

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly receivers: readonly { readonly name: string }[];
}
