import { type Command, Option } from 'commander';
import { LongshoreError } from '../../core/errors.ts';
import { MISSED, type Missed, OVERLAPS, type Overlap } from '../../core/schedule/data.ts';
import type { AnyFlow } from '../../flow/flow.ts';
import type { PutStatus } from '../../schedule/definition.ts';
import type { Schedules } from '../../schedule/schedules.ts';
import type { FlowSchedule, TaskSchedule } from '../../schedule/spec.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { loadConfig } from '../config-file.ts';
import { UsageError } from '../exit-codes.ts';
import { parseJson } from '../json-text.ts';
import { scheduleColumns, scheduleText, tickText } from '../schedule-text.ts';
import { type Session, taskPaths, withStore } from '../session.ts';
import { counted, printable } from '../text.ts';
import { duration, integer, numberOrName, repeated, time } from '../values.ts';
import { whoAmI } from '../who.ts';
import { findTask } from './enqueue.ts';
import { findFlow } from './start.ts';
import { requireTaskPaths } from './tasks.ts';

interface Options {
  readonly count?: number;
  readonly zone?: string;
  readonly every?: number;
  readonly at?: Date;
  readonly cron?: string;
  readonly start?: Date;
  readonly end?: Date;
  readonly jitter?: number;
  readonly overlap?: Overlap;
  readonly missed?: Missed;
  readonly missedMax?: number;
  readonly task?: string;
  readonly flow?: string;
  readonly input?: string;
  readonly tasks?: readonly string[];
  readonly queue?: string;
  readonly priority?: number;
  readonly attempts?: number;
  readonly key?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly max?: number;
  readonly note?: string;
  readonly by?: string;
}

const ACTIONS = ['list', 'show', 'preview', 'set', 'pause', 'resume', 'run', 'backfill', 'remove'] as const;
type ActionName = (typeof ACTIONS)[number];

export const schedules: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command
    .argument('[action]', `${ACTIONS.join(', ')}; default: list`)
    .argument('[name]', 'the name of a schedule; for preview, of one or a cron expression')
    .option('--cron <expression>', 'set: five fields, six with seconds, or @daily and the like')
    .option('--zone <zone>', 'set, preview: IANA zone of the expression (default: UTC)')
    .option('--every <time>', 'set, preview: an interval, e.g. 15m', duration('--every'))
    .option('--at <time>', 'set: once, e.g. 2030-01-31T09:00:00Z', time('--at'))
    .option('--start <time>', 'set, preview: no tick before it', time('--start'))
    .option('--end <time>', 'set, preview: no tick from it on', time('--end'))
    .option('--task <name>', 'set: the task whose jobs it starts')
    .addOption(new Option('--flow <name>', 'set: the flow whose runs it starts').conflicts('task'))
    .option('--input <json>', 'set: the input of each job or run')
    .option(
      '--tasks <path>',
      'set: task files; with --task to check the input against its schema, with --flow the files that export it',
      repeated,
    )
    .option('-q, --queue <name>', "set: default: the task's, or default")
    .option('-p, --priority <n>', 'set: lower runs first', numberOrName)
    .option('--attempts <n>', 'set: how often a job may run and fail', numberOrName)
    .option('--key <key>', 'set: whose turn the jobs take')
    .addOption(new Option('--overlap <what>', 'set: while the one before has not ended').choices(OVERLAPS))
    .addOption(new Option('--missed <what>', 'set: ticks that no worker was there for').choices(MISSED))
    .option('--missed-max <n>', 'set: with --missed all, at most so many', integer('--missed-max', 1))
    .option('--jitter <time>', 'set: spread starts over this time', duration('--jitter'))
    .option(
      '-n, --count <n>',
      'show, preview: how many ticks to come (default: 5)',
      integer('--count', 1, 1_000),
    )
    .option('--from <time>', 'backfill: the first tick may be at this time', time('--from'))
    .option('--to <time>', 'backfill: the last tick is before this time', time('--to'))
    .option('--max <n>', 'backfill: at most so many (default: 100)', integer('--max', 1, 1_000))
    .option('--note <text>', 'why, for people')
    .option('--by <name>', 'who asks (default: user@host)');
  examples(
    command,
    'longshore schedules',
    "longshore schedules preview '30 2 * * *' --zone Europe/Zurich",
    `longshore schedules set nightly --cron '30 2 * * *' --zone Europe/Zurich --task report --input '{}'`,
    "longshore schedules pause nightly --note 'until the import is done'",
    'longshore schedules backfill nightly --from 2030-01-01T00:00:00Z --to 2030-01-08T00:00:00Z',
  );
}

async function run(call: Call<Options>): Promise<number> {
  const [action = 'list', name] = call.args;
  if (!isAction(action))
    throw new UsageError(`There is no action ${action}; expected ${ACTIONS.join(', ')}.`);
  if (action === 'list') return withStore(call.options, (session) => list(session, call));
  if (name === undefined && !(action === 'preview' && call.options.every !== undefined))
    throw new UsageError(
      `longshore schedules ${action} needs a name${action === 'preview' ? ' or a cron expression' : ''}.`,
    );
  const create = action === 'set';
  // An expression can be looked at without a store.
  const isTiming = action === 'preview' && (call.options.every !== undefined || /[\s@]/.test(name ?? ''));
  return withStore(
    isTiming ? { ...call.options, store: 'memory:' } : call.options,
    async (session) => {
      const code = await RUNS[action](session, name ?? '', call);
      const { by, note: why = null } = audit(call.options);
      if (CHANGES.has(action))
        await session.longshore.audit.record({ by, action: `${action}Schedule`, target: name ?? '', why });
      return code;
    },
    { create },
  );
}

const CHANGES: ReadonlySet<ActionName> = new Set(['set', 'pause', 'resume', 'run', 'backfill', 'remove']);

function isAction(text: string): text is ActionName {
  return (ACTIONS as readonly string[]).includes(text);
}

type Run = (session: Session, name: string, call: Call<Options>) => Promise<number>;

const RUNS: Readonly<Record<Exclude<ActionName, 'list'>, Run>> = {
  show,
  preview,
  set,
  pause: (session, name, call) => act(session, name, call, 'pause'),
  resume: (session, name, call) => act(session, name, call, 'resume'),
  run: runNow,
  backfill,
  remove,
};

async function list({ longshore }: Session, { out }: Call<Options>): Promise<number> {
  const all: Awaited<ReturnType<Schedules['list']>>['schedules'] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await longshore.schedules.list({
      limit: 1_000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    all.push(...page.schedules);
    cursor = page.cursor;
  }
  all.sort((one, other) => (one.name < other.name ? -1 : 1));
  if (out.json) out.document({ schedules: all });
  else if (all.length === 0) out.say('No schedules.');
  else out.table(scheduleColumns(Date.now()), all);
  return 0;
}

async function show({ longshore }: Session, name: string, { options, out }: Call<Options>): Promise<number> {
  const found = await longshore.schedules.get(name);
  if (found === null)
    throw new LongshoreError('SCHEDULE_UNKNOWN', `There is no schedule '${name}'.`, { details: { name } });
  const next = found.state === 'active' ? await longshore.schedules.preview(name, options.count ?? 5) : [];
  if (out.json) out.document({ ...found, next });
  else out.print(scheduleText(found, next));
  return 0;
}

/** A name that is there wins over an expression. */
async function preview(
  { longshore }: Session,
  text: string,
  { options, out }: Call<Options>,
): Promise<number> {
  const { zone, every: everyMs, start, end, count = 5 } = options;
  const found = text === '' ? null : await longshore.schedules.get(text);
  const bounds = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
  const cron = { cron: text, ...(zone === undefined ? {} : { zone }) };
  const timing = { ...(everyMs === undefined ? cron : { everyMs }), ...bounds };
  const ticks = await longshore.schedules.preview(found === null ? timing : text, count);
  const shown = found === null ? (zone ?? null) : found.zone;
  if (out.json) out.document({ ticks });
  else for (const tick of ticks) out.print(tickText(tick, shown));
  return 0;
}

async function set(session: Session, name: string, { options, out }: Call<Options>): Promise<number> {
  const { task, flow, tasks, by = whoAmI() } = options;
  const set = session.longshore.schedules;
  let status: PutStatus;
  if (flow !== undefined) {
    const config = await loadConfig(options.config);
    const target = await findFlow(flow, requireTaskPaths(taskPaths(tasks, config)));
    status = await set.set(name, { ...specOf(options), flow: target } as FlowSchedule<AnyFlow>, { by });
  } else {
    if (task === undefined) throw new UsageError('longshore schedules set needs --task or --flow.');
    const target = await findTask(task, tasks === undefined ? {} : { tasks }, session, out);
    status = await set.set(name, { ...specOf(options), task: target } as TaskSchedule, { by });
  }
  const [nextAt = null] = await session.longshore.schedules.preview(name, 1);
  if (out.json) out.document({ name, status, nextAt });
  else out.print(`${printable(name)} ${status}${nextAt === null ? '' : `; next ${tickText(nextAt, null)}`}`);
  return 0;
}

function specOf(options: Options): object {
  const {
    cron,
    zone,
    every: everyMs,
    at,
    start,
    end,
    jitter: jitterMs,
    overlap,
    missed,
    missedMax,
  } = options;
  const { note, queue, priority, attempts, key, input: text } = options;
  const input = text === undefined ? undefined : parseJson(text, '--input', { typed: true });
  const timing = { cron, zone, everyMs, at, start, end };
  const given = {
    ...timing,
    jitterMs,
    overlap,
    missed,
    missedMax,
    note,
    queue,
    priority,
    attempts,
    key,
    input,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

async function act(
  { longshore }: Session,
  name: string,
  { options, out }: Call<Options>,
  verb: 'pause' | 'resume',
): Promise<number> {
  await longshore.schedules[verb](name, audit(options));
  if (out.json) out.document({ name, done: verb });
  else out.print(`${printable(name)} ${verb}d`);
  return 0;
}

async function runNow(
  { longshore }: Session,
  name: string,
  { options, out }: Call<Options>,
): Promise<number> {
  const start = await longshore.schedules.runNow(name, audit(options));
  if (out.json) out.document({ name, ...start });
  else out.print(start.id);
  return 0;
}

async function backfill(
  { longshore }: Session,
  name: string,
  { options, out }: Call<Options>,
): Promise<number> {
  const { from, to, max } = options;
  if (from === undefined || to === undefined)
    throw new UsageError('longshore schedules backfill needs --from and --to.');
  const span = { from, to, ...(max === undefined ? {} : { max }), ...audit(options) };
  const report = await longshore.schedules.backfill(name, span);
  if (out.json) {
    out.document({ name, ...report });
    return 0;
  }
  for (const { id } of report.starts) out.print(id);
  const rest = report.nextFrom === null ? '' : `; go on with --from ${tickText(report.nextFrom, null)}`;
  out.say(`${counted(report.starts.length, 'start')}${rest}.`);
  return 0;
}

async function remove({ longshore }: Session, name: string, { out }: Call<Options>): Promise<number> {
  const removed = await longshore.schedules.remove(name);
  if (!removed)
    throw new LongshoreError('SCHEDULE_UNKNOWN', `There is no schedule '${name}'.`, { details: { name } });
  if (out.json) out.document({ name, done: 'remove' });
  else out.print(`${printable(name)} removed`);
  return 0;
}

function audit({ by = whoAmI(), note }: Options): { readonly by: string; readonly note?: string } {
  return { by, ...(note === undefined ? {} : { note }) };
}
