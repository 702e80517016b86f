/** Each resource of the API, on each store: what it answers fits the document, and what it does is done. */
import assert from 'node:assert/strict';
import { z } from 'zod';
import { defineFlow, defineTask, UnrecoverableError } from '../../src/index.ts';
import { onEachStore } from '../stage.ts';
import { askerOf } from './asker.ts';

const echo = defineTask({ name: 'echo', run: ({ input }) => input });
const mail = defineTask({ name: 'mail', input: z.object({ to: z.string() }), run: ({ input }) => input.to });
const fail = defineTask({
  name: 'fail',
  run: ({ log, input }) => {
    log('about to fail', { input });
    throw new UnrecoverableError('no way');
  },
});
const tasks = [echo, mail, fail];
const pair = defineFlow({
  name: 'pair',
  steps: (s) => {
    const first = s.step('first', echo);
    const sign = s.waitFor('sign', null, { signal: 'approval', after: [first] });
    s.step('last', fail, { after: [sign], failure: 'block' });
  },
});

onEachStore('jobs are made, found, shown and awaited over HTTP', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http({ tasks }));
  const made = await ask('POST /jobs', {
    body: { task: 'echo', input: { a: 1 }, key: 'k', priority: 'high' },
  });
  assert.equal(made.status, 201);
  assert.equal(made.headers.get('location'), `/api/v1/jobs/${made.body.id}`);
  const batch = await ask('POST /jobs/batch', {
    body: { task: 'mail', jobs: [{ input: { to: 'a' } }, { input: { to: 'b' } }] },
  });
  assert.deepEqual([batch.status, batch.body.jobs.length], [201, 2]);
  const pending = await ask(`GET /jobs/${made.body.id}/result`);
  assert.deepEqual([pending.status, pending.body.state], [202, 'ready']);
  const polled = ask(`GET /jobs/${made.body.id}/result?waitMs=60000`);
  await longshore.worker({ tasks }).runUntilIdle();
  assert.deepEqual((await polled).body, {
    id: made.body.id,
    state: 'completed',
    result: { a: 1 },
    error: null,
  });
  const job = await ask(`GET /jobs/${made.body.id}`);
  assert.deepEqual([job.body.state, job.body.input, job.body.priority], ['completed', { a: 1 }, -10]);
  const page = await ask('GET /jobs?state=completed,failed&limit=2');
  assert.equal(page.body.jobs.length, 2);
  const rest = await ask(`GET /jobs?state=completed,failed&limit=2&cursor=${page.body.cursor}`);
  assert.deepEqual([rest.body.jobs.length, rest.body.cursor], [1, null]);
  const ids = async (query: string) =>
    (await ask(`GET /jobs?${query}`)).body.jobs.map(({ id }: { id: string }) => id);
  assert.deepEqual(await ids('key=k'), [made.body.id]);
  assert.deepEqual(await ids(`id=${made.body.id}`), [made.body.id]);
  assert.equal((await ids('task=mail')).length, 2);
  assert.deepEqual(await ids('createdBefore=1000'), []);
  assert.equal((await ids('createdAfter=1000')).length, 3);
  const meta = { correlationId: 'order-7', tags: ['vip'] };
  const tied = (await ask('POST /jobs', { body: { task: 'echo', meta } })).body.id;
  assert.deepEqual(await ids('correlationId=order-7'), [tied]);
  assert.deepEqual(await ids('tag=vip&task=echo'), [tied]);
  assert.equal((await ask('GET /jobs?payloads=true&task=mail')).body.jobs[0].input.to, 'b');
});

onEachStore(
  'a failed job shows its attempts and log, and is redriven, resolved and removed',
  async ({ connect }) => {
    const longshore = await connect();
    const ask = await askerOf(longshore.http({ tasks }));
    const { id } = (await ask('POST /jobs', { body: { task: 'fail', input: 7 } })).body;
    await longshore.worker({ tasks }).runUntilIdle();
    const ended = await ask(`GET /jobs/${id}/result`);
    assert.deepEqual([ended.status, ended.body.state, ended.body.error.message], [200, 'failed', 'no way']);
    assert.deepEqual((await ask(`GET /jobs/${id}/attempts`)).body.errors.length, 1);
    assert.equal((await ask(`GET /jobs/${id}/log`)).body.lines[0].message, 'about to fail');
    assert.equal((await ask(`POST /jobs/${id}/redrive`, { body: { why: 'again' } })).status, 200);
    await longshore.worker({ tasks }).runUntilIdle();
    assert.equal((await ask(`POST /jobs/${id}/resolve`, { body: { result: { by: 'hand' } } })).status, 200);
    const job = (await ask(`GET /jobs/${id}`)).body;
    assert.deepEqual(job.result, { by: 'hand' });
    assert.deepEqual(
      job.audit.map(({ action, by, why }: Record<string, string>) => [action, by, why]),
      [
        ['redrive', 'local', 'again'],
        ['resolve', 'local', null],
      ],
    );
    assert.equal((await ask(`POST /jobs/${id}/resolve`)).status, 409);
    assert.equal((await ask(`DELETE /jobs/${id}`)).status, 200);
    assert.equal((await ask(`GET /jobs/${id}`)).status, 404);
    const waiting = (await ask('POST /jobs', { body: { task: 'echo', delayMs: 60_000 } })).body.id;
    assert.equal((await ask(`POST /jobs/${waiting}/reprioritize`, { body: { priority: 5 } })).status, 200);
    assert.equal((await ask(`POST /jobs/${waiting}/reschedule`, { body: { at: 0 } })).status, 200);
    assert.equal((await ask(`PUT /jobs/${waiting}/input`, { body: { input: { a: 2 } } })).status, 200);
    const edited = (await ask(`GET /jobs/${waiting}`)).body;
    assert.deepEqual([edited.state, edited.input, edited.audit.at(-1).action], ['ready', { a: 2 }, 'edit']);
    const bulk = await ask('POST /jobs/actions', { body: { action: 'cancel', queue: 'default' } });
    assert.equal(bulk.body.done, 1);
    assert.equal((await ask('POST /jobs/actions', { body: { action: 'cancel' } })).status, 422);
  },
);

onEachStore('runs are started, shown with readiness, signalled and acted on', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http({ tasks, flows: [pair] }));
  assert.deepEqual((await ask('GET /flows')).body.flows[0].name, 'pair');
  const started = await ask('POST /runs', { body: { flow: 'pair', input: 1, id: 'r1' } });
  assert.equal(started.status, 201);
  assert.equal((await ask('POST /runs', { body: { flow: 'pair', input: 1, id: 'r1' } })).status, 200);
  const steps = (await ask('GET /runs/r1')).body.steps;
  assert.deepEqual([steps[2].waitsFor, steps[0].taskUnknown], [['sign'], true]);
  await longshore.worker({ tasks }).runUntilIdle();
  assert.equal(
    (await ask('POST /runs/r1/signals', { body: { name: 'approval', payload: { by: 'ada' } } })).status,
    202,
  );
  await longshore.worker({ tasks }).runUntilIdle();
  assert.equal((await ask('GET /runs?state=blocked&flow=pair')).body.runs[0].id, 'r1');
  assert.equal(
    (await ask('POST /runs/r1/steps/last/complete', { body: { result: 2, why: 'by hand' } })).status,
    200,
  );
  await longshore.worker({ tasks }).runUntilIdle();
  const ended = await ask('GET /runs/r1/result?waitMs=60000');
  assert.deepEqual([ended.status, ended.body.state], [200, 'completed']);
  assert.equal((await ask('GET /runs/r1')).body.audit[0].by, 'local');
  const done = (await ask('GET /audit')).body.entries;
  assert.deepEqual(
    done.map(({ action, target, details }: Record<string, unknown>) => [action, target, details]),
    [
      ['completeStep', 'r1 / last', { did: { done: true } }],
      ['signalRun', 'r1', { given: { name: 'approval' }, did: { done: true } }],
    ],
  );
  const trace = (await ask('GET /traces/r1')).body;
  assert.deepEqual([trace.kind, trace.runs[0].id, trace.jobs[0].step], ['run', 'r1', 'first']);
  assert.equal((await ask(`GET /traces/${trace.jobs[0].id}`)).body.kind, 'job');
  assert.deepEqual((await ask('GET /traces/nothing')).body.code, 'JOB_UNKNOWN');
  assert.equal((await ask('POST /runs/r1/cancel')).status, 409);
  assert.equal((await ask('POST /runs/r1/steps/none/skip')).status, 404);
  assert.equal((await ask('POST /runs', { body: { flow: 'other' } })).status, 404);
});

onEachStore('schedules are set, previewed, paused, run and removed', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http({ tasks }));
  const spec = { everyMs: 3_600_000, task: 'echo', input: { a: 1 }, note: 'often' };
  assert.equal((await ask('PUT /schedules/a%2Fb', { body: spec })).body.status, 'created');
  assert.equal((await ask('PUT /schedules/a%2Fb', { body: spec })).body.status, 'unchanged');
  assert.deepEqual((await ask('GET /schedules/a%2Fb')).body.input, { a: 1 });
  assert.equal((await ask('GET /schedules/a%2Fb/ticks?count=3')).body.ticks.length, 3);
  assert.equal(
    (await ask('POST /schedule-preview', { body: { cron: '* * * * *', count: 4 } })).body.ticks.length,
    4,
  );
  assert.equal((await ask('POST /schedules/a%2Fb/pause', { body: { note: 'wait' } })).status, 200);
  assert.equal((await ask('GET /schedules?state=paused')).body.schedules[0].paused.by, 'local');
  assert.equal((await ask('POST /schedules/a%2Fb/resume')).status, 200);
  const run = await ask('POST /schedules/a%2Fb/run');
  assert.equal((await ask(`GET /jobs/${run.body.id}`)).body.task, 'echo');
  const now = Date.now();
  const span = { from: now + 3_600_000, to: now + 4 * 3_600_000 };
  assert.equal((await ask('POST /schedules/a%2Fb/backfill', { body: span })).body.starts.length, 3);
  assert.equal((await ask('DELETE /schedules/a%2Fb')).status, 200);
  assert.equal((await ask('DELETE /schedules/a%2Fb')).status, 404);
});

onEachStore('queues, workers, tasks, overview, history and health are shown', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http({ tasks }));
  const worker = longshore.worker({ tasks, concurrency: 3 });
  await worker.start();
  await ask('POST /queues/mail/pause');
  await ask('POST /jobs', { body: { task: 'mail', queue: 'mail', input: { to: 'x' } } });
  const limits = { concurrency: 5, perKey: { ordered: true }, rate: { count: 2, perMs: 1000 } };
  assert.equal((await ask('PATCH /queues/mail/limits', { body: limits })).body.limits.perKey.ordered, true);
  const queue = (await ask('GET /queues/mail')).body;
  assert.deepEqual([queue.counts.ready, typeof queue.pausedAt], [1, 'number']);
  assert.equal((await ask('GET /queues')).body.queues[0].name, 'mail');
  const [seen] = (await ask('GET /workers')).body.workers;
  assert.deepEqual([seen.alive, seen.slots], [true, 3]);
  assert.equal((await ask(`GET /workers/${seen.id}`)).body.id, seen.id);
  assert.deepEqual(
    (await ask('GET /tasks')).body.tasks.map(({ name, workers }: Record<string, unknown>) => [name, workers]),
    [
      ['echo', 1],
      ['fail', 1],
      ['mail', 1],
    ],
  );
  const overview = (await ask('GET /overview')).body;
  assert.deepEqual([overview.counts.ready, overview.workers.slots], [1, 3]);
  assert.equal((await ask('GET /history')).body.points.length, 1);
  const [slots] = (await ask('GET /history/workers')).body.workers;
  assert.deepEqual([slots.id, slots.points.length, slots.points[0].slots], [seen.id, 1, 3]);
  assert.equal((await ask('GET /health')).body.workers.length, 1);
  assert.equal((await ask('GET /health/ready')).body.ok, true);
  assert.equal((await ask('POST /queues/mail/drain')).body.removed, 1);
  assert.equal((await ask('POST /queues/mail/resume')).body.pausedAt, null);
  assert.equal((await ask('GET /queues/nothing')).status, 404);
  assert.equal((await ask('GET /workers/nobody')).status, 404);
});

onEachStore('dead letters are grouped by error, counted dry and redriven', async ({ connect }) => {
  const longshore = await connect();
  const picky = defineTask({
    name: 'picky',
    run: ({ input }) => {
      throw new UnrecoverableError(Number(input) % 2 === 0 ? `no user ${input}` : 'the bank is closed');
    },
  });
  const ask = await askerOf(longshore.http());
  await longshore.enqueueMany('picky', [1, 2, 3, 4, 6]);
  await longshore.worker({ tasks: [picky] }).runUntilIdle();
  const { groups, lookedAt, more } = (await ask('GET /dead-letters?task=picky')).body;
  assert.deepEqual([groups.length, lookedAt, more], [2, 5, false]);
  assert.deepEqual([groups[0].pattern, groups[0].jobs], ['UnrecoverableError: no user <n>', 3]);
  const { fingerprint } = groups[0];
  const dry = (await ask('POST /dead-letters/redrive', { body: { fingerprint, dryRun: true } })).body;
  assert.deepEqual(dry, { jobs: 3, lookedAt: 5, refused: 0, cursor: null });
  assert.equal((await ask('GET /queues/default')).body.counts.failed, 5);
  assert.equal(
    (await ask('POST /dead-letters/redrive', { body: { fingerprint, why: 'mended' } })).body.jobs,
    3,
  );
  assert.equal((await ask('GET /dead-letters')).body.groups[0].jobs, 2);
  const analytics = (await ask('GET /analytics')).body;
  assert.deepEqual([analytics.lookedAt, analytics.tasks[0].failed, analytics.errors.length], [2, 2, 1]);
  const { entries } = (await ask('GET /audit')).body;
  assert.deepEqual(entries.length, 1);
  const { by, action, why, details } = entries[0];
  assert.deepEqual([by, action, why], ['local', 'redriveDeadLetters', 'mended']);
  assert.deepEqual(details, { given: { fingerprint }, did: { jobs: 3, refused: 0 } });
});

onEachStore('a waiting job, and a step of a run, say why they do not run', async ({ connect }) => {
  const longshore = await connect();
  const ask = await askerOf(longshore.http({ flows: [pair] }));
  const { id } = await longshore.enqueue('echo', 1, { queue: 'mail' });
  await longshore.queues.pause('mail');
  const codes = async (place: string) =>
    (await ask(place)).body.reasons.map(({ code }: { code: string }) => code);
  assert.deepEqual(await codes(`GET /jobs/${id}/why`), ['queuePaused', 'noWorker']);
  await longshore.flows.start(pair, 1, { id: 'r1' });
  assert.equal((await ask('GET /jobs?run=r1')).body.jobs.length, 1);
  assert.equal((await ask('GET /jobs?run=r0')).status, 404);
  assert.deepEqual(await codes('GET /runs/r1/steps/first/why'), ['noWorker']);
  assert.deepEqual(await codes('GET /runs/r1/steps/last/why'), ['waitsForSteps']);
  assert.equal((await ask('GET /runs/r1/steps/none/why')).status, 404);
  assert.equal((await ask('GET /runs/none/steps/first/why')).status, 404);
  assert.equal((await ask('GET /jobs/none/why')).status, 404);
});
