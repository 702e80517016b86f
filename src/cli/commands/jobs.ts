import type { Command } from 'commander';
import { LongshoreError, optionInvalid } from '../../core/errors.ts';
import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import { nearest } from '../../core/options.ts';
import type { JobView } from '../../queue/job-view.ts';
import type { ListOptions } from '../../queue/list-options.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { UsageError } from '../exit-codes.ts';
import { jobColumns, STATE_FORMATS } from '../job-columns.ts';
import type { Output } from '../output.ts';
import { withStore } from '../session.ts';
import { integer, list } from '../values.ts';

interface Options {
  readonly state?: readonly string[];
  readonly queue?: string;
  readonly task?: string;
  readonly correlationId?: string;
  readonly tag?: string;
  readonly run?: string;
  readonly limit?: number;
  readonly cursor?: string;
  readonly all?: true;
  readonly count?: true;
}

const LIMIT_DEFAULT = 50;
const PAGE = 1_000;

export const jobs: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .option(
      '-s, --state <state>',
      `only these states, repeated or with commas: ${JOB_STATES.join(', ')}`,
      list,
    )
    .option('-q, --queue <name>', 'only this queue')
    .option('-t, --task <name>', 'only this task')
    .option('--correlation-id <id>', 'only jobs with this correlation id, and the job of this id')
    .option('--tag <tag>', 'only jobs with this tag')
    .option('--run <id>', 'only jobs of the steps of this run, in the order of the steps')
    .option(
      '-n, --limit <n>',
      `at most this many, up to 1000 (default: ${LIMIT_DEFAULT})`,
      integer('--limit', 1, PAGE),
    )
    .option('--cursor <cursor>', 'go on where the list before ended')
    .option('--all', 'every job, however many')
    .option('--count', 'only how many there are in each state');
  examples(
    command,
    'longshore jobs --state failed --queue mail',
    "longshore jobs --all --json | jq '.jobs | length'",
  );
}

async function run(call: Call<Options>): Promise<number> {
  const { options, out } = call;
  if (options.count) return count(call);
  if (options.all && (options.limit !== undefined || options.cursor !== undefined))
    throw new UsageError('--all lists every job; leave out --limit and --cursor.');
  const filter: ListOptions = {
    ...(options.state === undefined ? {} : { state: options.state.map(requireState) }),
    ...(options.queue === undefined ? {} : { queue: options.queue }),
    ...(options.task === undefined ? {} : { task: options.task }),
    ...(options.correlationId === undefined ? {} : { correlationId: options.correlationId }),
    ...(options.tag === undefined ? {} : { tag: options.tag }),
    ...(options.run === undefined ? {} : { run: options.run }),
  };
  await withStore(options, async ({ longshore }) => {
    const page = (cursor: string | undefined, limit: number) =>
      longshore.jobs.list({ ...filter, limit, ...(cursor === undefined ? {} : { cursor }) });
    if (options.all) return listAll((cursor) => page(cursor, PAGE), out);
    const found = await page(options.cursor, options.limit ?? LIMIT_DEFAULT);
    if (out.json) return out.document(found);
    show(found.jobs, out, true);
    if (found.cursor !== null) out.say(`There are more: --cursor ${found.cursor}, or --all.`);
  });
  return 0;
}

async function count({ options, out }: Call<Options>): Promise<number> {
  const { count: _, queue, task, ...rest } = options;
  const unfit = (['state', 'correlationId', 'tag', 'run', 'limit', 'cursor', 'all'] as const).find(
    (name) => rest[name] !== undefined,
  );
  if (unfit !== undefined)
    throw new UsageError('--count goes with --queue and --task, and with no other option that picks jobs.');
  const of = { ...(queue === undefined ? {} : { queue }), ...(task === undefined ? {} : { task }) };
  const counts = await withStore(options, ({ longshore }) => longshore.jobs.counts(of));
  if (out.json) out.document({ counts });
  else
    out.table(
      [
        { title: 'STATE', value: ([state]) => state, format: ([state]) => STATE_FORMATS[state as JobState] },
        { title: 'JOBS', value: ([, jobs]) => String(jobs), align: 'right' },
      ],
      Object.entries(counts),
    );
  return 0;
}

type Page = Awaited<ReturnType<import('../../queue/jobs.ts').Jobs['list']>>;

/** Page by page, so that a large store does not have to fit into memory. */
async function listAll(page: (cursor: string | undefined) => Promise<Page>, out: Output): Promise<void> {
  let found = await page(undefined);
  let first = true;
  if (out.json) process.stdout.write('{"jobs":[');
  for (;;) {
    if (out.json)
      process.stdout.write(
        found.jobs.map((job, at) => `${first && at === 0 ? '' : ','}${JSON.stringify(job)}`).join(''),
      );
    else show(found.jobs, out, first);
    if (found.cursor === null) break;
    first = false;
    found = await page(found.cursor);
  }
  if (out.json) process.stdout.write('],"cursor":null}\n');
}

function show(jobs: readonly JobView[], out: Output, first: boolean): void {
  if (jobs.length > 0) out.table(jobColumns(Date.now()), jobs, { titles: first });
  else if (first) out.say('No jobs.');
}

/** Throws OPTION_INVALID. */
export function requireState(state: string): JobState {
  if ((JOB_STATES as readonly string[]).includes(state)) return state as JobState;
  const near = nearest(state, JOB_STATES);
  if (near === null) throw optionInvalid('--state', state, `one of ${JOB_STATES.join(', ')}`);
  throw new LongshoreError('OPTION_INVALID', `--state is ${JSON.stringify(state)}; did you mean ${near}?`);
}
