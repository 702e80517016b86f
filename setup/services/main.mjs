/**
 * `npm run services`: servers for development, until Ctrl-C. Standard output is for a shell to read:
 * `export LONGSHORE_TEST_POSTGRES=...`, or one line of JSON.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { startJaeger, startOperaton, startPostgres, startRedis, startTemporal } from './index.mjs';
import { builtJaeger } from './jaeger-program.mjs';
import { builtTemporal } from './temporal-program.mjs';

const USAGE = `npm run services -- [--postgres MAJOR] [--durable] [--jaeger] [--temporal] [--operaton] [--json]
  --postgres MAJOR  12 to 18; a version that this machine lacks is fetched
  --durable         with fsync and an append-only file, as benches need it; default: quick, for tests
  --jaeger          Jaeger as well; built with Go the first time, which takes some minutes
  --temporal        Temporal as well; built with Go the first time, which takes some minutes
  --operaton        Operaton as well; built with Maven the first time, which takes some minutes
  --json            prints {"postgres": URL, "redis": URL} instead of lines for a shell`;

const VARIABLES = { postgres: 'LONGSHORE_TEST_POSTGRES', redis: 'LONGSHORE_TEST_REDIS' };

try {
  await main(options());
} catch (error) {
  process.stderr.write(`npm run services: ${error.message}\n`);
  process.exitCode = 1;
}

function options() {
  try {
    return parseArgs({
      options: {
        postgres: { type: 'string' },
        durable: { type: 'boolean', default: false },
        jaeger: { type: 'boolean', default: false },
        temporal: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        operaton: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new Error(`${error.message}\n${USAGE}`);
  }
}

async function main({ postgres, durable, jaeger, temporal, operaton, json, help }) {
  if (help) return process.stdout.write(`${USAGE}\n`);
  const ended = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  const major = postgres === undefined ? {} : { major: Number(postgres) };
  const starts = { postgres: startPostgres({ durable, ...major }), redis: startRedis({ durable }) };
  const servers = {};
  let failed = false;
  for (const [kind, start] of Object.entries(starts)) {
    try {
      servers[kind] = await start;
    } catch (error) {
      process.stderr.write(`npm run services: ${error.message}\n`);
      failed ||= kind === 'postgres' && postgres !== undefined;
    }
  }
  if (failed) {
    await stopAll(servers);
    throw new Error(`PostgreSQL ${postgres} was asked for`);
  }
  if (Object.keys(servers).length === 0) throw new Error('no server could be started');
  const traces = jaeger ? await traceServer() : null;
  const engine = temporal ? await temporalServer(durable) : null;
  const bpmn = operaton ? await operatonServer(durable) : null;
  tell(servers, json);
  await ended;
  await Promise.all([stopAll(servers), traces?.stop(), engine?.stop(), bpmn?.stop()]);
}

/** Takes spans by OTLP over HTTP. */
async function traceServer() {
  await builtJaeger();
  const { server, collector } = await startJaeger();
  process.stderr.write(`Jaeger: ${server.url}, spans to ${collector}\n`);
  return server;
}

async function temporalServer(durable) {
  await builtTemporal();
  const server = await startTemporal({ durable });
  process.stderr.write(`Temporal: ${server.url}\n`);
  return server;
}

async function operatonServer(durable) {
  const server = await startOperaton({ durable, build: true });
  process.stderr.write(`Operaton: ${server.url} (for tests: export LONGSHORE_TEST_OPERATON=${server.url})\n`);
  return server;
}

async function stopAll(servers) {
  await Promise.all(Object.values(servers).map((server) => server.stop()));
}

function tell(servers, json) {
  const urls = Object.entries(servers).map(([kind, { url }]) => [kind, url]);
  const lines = urls.map(([kind, url]) => `export ${VARIABLES[kind]}=${url}`);
  process.stdout.write(`${json ? JSON.stringify(Object.fromEntries(urls)) : lines.join('\n')}\n`);
  process.stderr.write('They run until Ctrl-C; their data go with them.\n');
}
