/** One side of beside-sdk.ts in a process of its own: `node worker.ts sdk|ours URL JSON`. Ends when its parent lets go. */
import { createCamundaClient } from '@camunda8/orchestration-cluster-api';
import { camundaWorker } from '../../../src/connectors/camunda/index.ts';
import { defineTask } from '../../../src/index.ts';
import { compute } from '../tasks.ts';

interface Settings {
  readonly lockMs: number;
  readonly concurrency: number;
}

const [side = '', url = '', text = '{}'] = process.argv.slice(2);
const { lockMs, concurrency } = JSON.parse(text) as Settings;
if (side === 'sdk') {
  const client = createCamundaClient({
    config: { CAMUNDA_REST_ADDRESS: url, CAMUNDA_AUTH_STRATEGY: 'NONE', CAMUNDA_SDK_LOG_LEVEL: 'silent' },
  });
  const settings = { maxParallelJobs: concurrency, jobTimeoutMs: lockMs, pollTimeoutMs: 1_000 };
  client.createJobWorker({
    ...settings,
    jobType: 'quick',
    jobHandler: (job) => job.complete({ done: true }),
  });
  client.createJobWorker({
    ...settings,
    jobType: 'compute',
    jobHandler: (job) => {
      const until = performance.now() + Number(job.variables.ms);
      while (performance.now() < until) Math.sqrt(until);
      return job.complete({ done: true });
    },
  });
} else {
  const quick = defineTask({ name: 'quick', run: () => ({ done: true }) });
  const inThread = Object.freeze({ ...compute, strategy: 'thread' as const });
  const worker = camundaWorker({
    url,
    concurrency,
    lockMs,
    pollMs: 1_000,
    logger: false,
    jobTypes: { quick, compute: inThread },
  });
  await worker.start();
}
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000 });
});
process.once('disconnect', () => process.exit());
process.send?.('started');
