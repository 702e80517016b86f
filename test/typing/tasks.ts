import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
  type AnyTask,
  declareTask,
  defineTask,
  type EnqueueArguments,
  type EventListener,
  implementTask,
  type JobHandle,
  type Longshore,
  type TaskDeclaration,
  type TaskGiven,
  type TaskResult,
  taskDefaults,
} from '../../src/index.ts';

/**
 * What the compiler must accept and refuse. Checked by `npm run check`; never run. A line under
 * `@ts-expect-error` that compiles is an error of its own.
 */
declare const longshore: Longshore;

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function same<A, B>(_equal: Equal<A, B>): void {}

const withZod = defineTask({
  name: 'zod',
  input: z.object({ path: z.string(), width: z.number().default(100) }),
  run: async ({ input, attempt, signal }) => {
    same<typeof input, { path: string; width: number }>(true);
    same<typeof attempt, number>(true);
    same<typeof signal, AbortSignal>(true);
    return { bytes: input.width };
  },
});

// What is given differs from what the handler gets: defaults and transforms count.
same<TaskGiven<typeof withZod>, { path: string; width?: number | undefined }>(true);
same<TaskResult<typeof withZod>, { bytes: number }>(true);
same<(typeof withZod)['name'], 'zod'>(true);

const withValibot = defineTask({
  name: 'valibot',
  input: v.object({ to: v.pipe(v.string(), v.email()) }),
  run: ({ input }) => input.to.length,
});
same<TaskGiven<typeof withValibot>, { to: string }>(true);
same<TaskResult<typeof withValibot>, number>(true);

const withArktype = defineTask({
  name: 'arktype',
  input: type({ count: 'number' }),
  run: ({ input }) => String(input.count),
});
same<TaskGiven<typeof withArktype>, { count: number }>(true);
same<TaskResult<typeof withArktype>, string>(true);

const without = defineTask({
  name: 'without',
  run: ({ input }) => {
    same<typeof input, unknown>(true);
  },
});
same<TaskResult<typeof without>, void>(true);

// Without a schema the types may be said: what is enqueued, and what the handler returns. JSON makes text of a Date.
const said = defineTask<{ path: string; at?: Date }, { at: Date }>({
  name: 'said',
  key: ({ path }) => path,
  run: ({ input }) => {
    same<typeof input, { path: string; at?: string }>(true);
    return { at: new Date() };
  },
});
same<TaskGiven<typeof said>, { path: string; at?: Date }>(true);
same<TaskResult<typeof said>, { at: Date }>(true);

const schema = z.object({ path: z.string(), width: z.number().default(100) });
const saidWithSchema = defineTask<typeof schema, number>({
  name: 'said with a schema',
  input: schema,
  run: ({ input }) => input.width,
});
same<TaskGiven<typeof saidWithSchema>, { path: string; width?: number | undefined }>(true);

const declared = declareTask<{ path: string }, { bytes: number }>({ name: 'declared', queue: 'films' });
same<typeof declared, TaskDeclaration<string, { path: string }, { path: string }, { bytes: number }>>(true);
const implemented = implementTask(declared, async ({ input }) => {
  same<typeof input, { path: string }>(true);
  return { bytes: input.path.length, more: true };
});
same<TaskGiven<typeof implemented>, { path: string }>(true);
same<TaskResult<typeof implemented>, { bytes: number; more: boolean }>(true);

const declaredWithSchema = declareTask({ name: 'declared with a schema', input: schema });
same<(typeof declaredWithSchema)['name'], 'declared with a schema'>(true);
const both = implementTask(declaredWithSchema, ({ input }) => input.width);
same<TaskResult<typeof both>, number>(true);

const films = taskDefaults({ queue: 'films', attempts: 5, timeoutMs: 1_000 });
const inFilms = films.defineTask({ name: 'in films', input: schema, run: ({ input }) => input.path });
same<TaskResult<typeof inFilms>, string>(true);
films.implementTask(films.declareTask({ name: 'declared in films' }), () => 1, { strategy: 'thread' });

/** A wrapper of a user's own. */
export function wrapper<T extends AnyTask>(task: T, ...given: EnqueueArguments<T>): Promise<JobHandle> {
  return longshore.enqueue(task, ...given);
}

export async function enqueues(): Promise<void> {
  const job = await longshore.enqueue(withZod, { path: 'a.png' });
  same<typeof job, JobHandle<{ bytes: number }>>(true);
  const { bytes } = await job.result();
  same<typeof bytes, number>(true);

  const jobs = await longshore.enqueueMany(withValibot, [{ to: 'a@b.c' }], (input, index) => {
    same<typeof input, { to: string }>(true);
    return { delayMs: index };
  });
  same<typeof jobs, JobHandle<number>[]>(true);

  const named = await longshore.enqueue('elsewhere', { any: 'thing' }, { priority: 'high' });
  same<Awaited<ReturnType<typeof named.result>>, unknown>(true);

  const { at } = await (await longshore.enqueue(said, { path: 'a', at: new Date() })).result();
  same<typeof at, string>(true);
  const handle = await longshore.enqueue(declared, { path: 'a' });
  same<typeof handle, JobHandle<{ bytes: number }>>(true);
  // Nothing but the name is known, or the input may be left out.
  await longshore.enqueue('elsewhere');
  await longshore.enqueue(without);
  await longshore.enqueue(without, undefined, { delayMs: 5 });

  // @ts-expect-error a field is missing
  await longshore.enqueue(withZod, {});
  // @ts-expect-error a field has the wrong type
  await longshore.enqueue(withZod, { path: 1 });
  // @ts-expect-error an unknown field
  await longshore.enqueue(withZod, { path: 'a', hight: 1 });
  // @ts-expect-error the input is missing
  await longshore.enqueue(withZod);
  // @ts-expect-error an array is not one input
  await longshore.enqueue(withValibot, [{ to: 'a@b.c' }]);
  // @ts-expect-error one of the inputs is wrong
  await longshore.enqueueMany(withArktype, [{ count: 1 }, { count: 'two' }]);
  // @ts-expect-error an option that does not exist
  await longshore.enqueue(withArktype, { count: 1 }, { delay: 5 });
  // @ts-expect-error a priority that has no such name
  await longshore.enqueue(withArktype, { count: 1 }, { priority: 'urgent' });
  // @ts-expect-error a unique mode that does not exist
  await longshore.enqueue(withArktype, { count: 1 }, { unique: { mode: 'once' } });
}

export function defines(): void {
  // @ts-expect-error the handler is missing
  defineTask({ name: 'x' });
  // @ts-expect-error the name is missing
  defineTask({ run: () => undefined });
  // @ts-expect-error a schema that is none
  defineTask({ name: 'x', input: { path: 'string' }, run: () => undefined });
  // @ts-expect-error a backoff of an unknown type
  defineTask({ name: 'x', backoff: { type: 'cubic', delayMs: 1 }, run: () => undefined });
  // @ts-expect-error an option that does not exist
  defineTask({ name: 'x', retries: 3, run: () => undefined });
  defineTask({
    name: 'x',
    input: z.object({ a: z.string() }),
    // @ts-expect-error the handler asks for a field the schema does not have
    run: ({ input }) => input.b,
  });
  // @ts-expect-error a task cannot be changed
  withZod.attempts = 5;
}

export function workers(): void {
  // Tasks of any type go into one list, without a cast.
  longshore.worker({ tasks: [withZod, withValibot, withArktype, without] });
  const list: AnyTask[] = [withZod, without];
  longshore.worker({ tasks: list, concurrency: 5, roles: ['processing'] });
  // @ts-expect-error the tasks are missing
  longshore.worker({ concurrency: 5 });
  // @ts-expect-error a setting that does not exist
  longshore.worker({ tasks: list, fibers: 4 });
  // @ts-expect-error a role that does not exist
  longshore.worker({ tasks: list, roles: ['cooking'] });
}

export function listens(): void {
  longshore.on('job.failed', ({ id, error, runMs }) => {
    same<typeof id, string>(true);
    same<typeof error.message, string>(true);
    same<typeof runMs, number>(true);
  });
  const listener: EventListener<'worker.claimed'> = ({ jobs, limit }) => void (jobs + limit);
  longshore.on('worker.claimed', listener);
  // @ts-expect-error an event that does not exist
  longshore.on('job.exploded', () => undefined);
  // @ts-expect-error a field the event does not have
  longshore.on('job.started', ({ runMs }) => runMs);
}

export async function acts(): Promise<void> {
  await longshore.jobs.cancel('id');
  await longshore.jobs.cancel(['id']);
  await longshore.jobs.cancel({ queue: 'films', state: 'ready' }, { by: 'ada', why: 'wrong film' });
  // @ts-expect-error a state that does not exist
  await longshore.jobs.cancel({ state: 'done' });
  // @ts-expect-error a criterion that does not exist
  await longshore.jobs.remove({ id: 'x' });
  // @ts-expect-error a retention of a state that is not kept
  await longshore.queues.setRetention('q', { running: { ageMs: 1, count: 1 } });
  const detail = await longshore.jobs.get(said, 'id');
  same<NonNullable<typeof detail>['input'], { path: string; at?: string }>(true);
  same<NonNullable<typeof detail>['result'], { at: string } | undefined>(true);
  const untyped = await longshore.jobs.get('id');
  same<NonNullable<typeof untyped>['input'], unknown>(true);
  const typed = longshore.jobs.handle(said, 'id');
  same<typeof typed, JobHandle<{ at: string }>>(true);
  const following = longshore.jobs.handle<number>('id');
  same<typeof following, JobHandle<number>>(true);
  const page = await longshore.jobs.list({ state: ['failed', 'cancelled'], limit: 10 });
  same<(typeof page.jobs)[number]['input'], unknown>(true);
}

// Durable steps: what comes back is what JSON made of it, and only a wait with a timeout may give null.
defineTask({
  name: 'durable',
  run: async ({ step, waitFor }) => {
    same<Awaited<ReturnType<typeof drawn>>, { at: string }>(true);
    const drawn = () => step('draw', async () => ({ at: new Date() }));
    const schema = z.object({ by: z.string() });
    const approval = await waitFor('approval', { schema });
    same<typeof approval, { by: string }>(true);
    const late = await waitFor('late', { schema, timeoutMs: 1_000 });
    same<typeof late, { by: string } | null>(true);
    const bare = await waitFor('bare');
    same<typeof bare, unknown>(true);
    // @ts-expect-error a step needs a function
    await step('nothing');
  },
});
