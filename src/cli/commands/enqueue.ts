import { type Command, Option } from 'commander';
import { show } from '../../core/errors.ts';
import { nearest } from '../../core/options.ts';
import type { AnyTask } from '../../core/task.ts';
import type { UniqueMode, UniqueOptions, UniqueScope } from '../../core/unique.ts';
import type { EnqueueOptions } from '../../queue/enqueue.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { enqueueLines } from '../enqueue-lines.ts';
import { UsageError } from '../exit-codes.ts';
import { readPayload } from '../json-input.ts';
import type { Output } from '../output.ts';
import { type Session, taskPaths, withStore } from '../session.ts';
import { loadTasks } from '../task-files.ts';
import { absoluteTime, counted, relativeTime } from '../text.ts';
import { duration, numberOrName, repeated, time } from '../values.ts';

export interface EnqueueCliOptions {
  readonly tasks?: readonly string[];
  readonly queue?: string;
  readonly priority?: number;
  readonly delay?: number;
  readonly at?: Date;
  readonly attempts?: number;
  readonly key?: string;
  readonly unique?: string;
  readonly uniqueMode?: UniqueMode;
  readonly uniqueScope?: UniqueScope;
  readonly uniquePeriod?: number;
  readonly uniqueMaxWait?: number;
  readonly lines?: true;
  readonly wait?: true;
  readonly timeout?: number;
}

export const enqueue: CliCommand<EnqueueCliOptions> = { define, run };

function define(command: Command): void {
  command
    .argument('<task>', "a task's name")
    .argument('[input]', 'the input as JSON; - reads it from standard input, as does a pipe')
    .option('--lines', 'standard input has one input a line: one job each, in batches')
    .option(
      '--tasks <path>',
      "task files: the input is checked against the task's schema (or LONGSHORE_TASKS)",
      repeated,
    )
    .option('-q, --queue <name>', "default: the task's, or default")
    .option('-p, --priority <n>', 'lower runs first; a whole number, or high, medium, low', numberOrName)
    .addOption(
      new Option('--delay <time>', 'wait at least this long, e.g. 10s')
        .argParser(duration('--delay'))
        .conflicts('at'),
    )
    .option(
      '--at <time>',
      'not before this time, e.g. 2030-01-31T09:00:00Z; without a time zone local time, without a time midnight',
      time('--at'),
    )
    .option('--attempts <n>', 'how often it may run and fail, the first run counted', numberOrName)
    .option('--key <key>', 'jobs of one key take turns with other keys, and share limits per key')
    .option('--unique <key>', 'makes jobs with this key one job')
    .addOption(
      new Option(
        '--unique-mode <mode>',
        'what happens while the key is held; without --unique the input is the key',
      ).choices(['reject', 'existing', 'replace', 'debounce', 'throttle']),
    )
    .addOption(
      new Option('--unique-scope <scope>', 'where the key must be unique').choices([
        'task',
        'queue',
        'store',
      ]),
    )
    .option('--unique-period <time>', 'how long the key is held, at least', duration('--unique-period'))
    .option(
      '--unique-max-wait <time>',
      'how long debounce puts the job off, at most',
      duration('--unique-max-wait'),
    )
    .addOption(new Option('--wait', 'wait for the job to end and print its result').conflicts('lines'))
    .option('--timeout <time>', 'with --wait: give up waiting after this long', duration('--timeout'));
  examples(
    command,
    `longshore enqueue thumbnail '{"path":"a.png","width":200}' --tasks tasks/ --delay 10s`,
    `longshore enqueue thumbnail '{"path":"a.png","width":200}' --wait --timeout 30s`,
    'longshore enqueue thumbnail --lines < inputs.jsonl',
  );
}

async function run(call: Call<EnqueueCliOptions>): Promise<number> {
  const { args, options, out } = call;
  if (options.timeout !== undefined && !options.wait) throw new UsageError('--timeout needs --wait.');
  if (options.at !== undefined && !out.json) out.say(atText(options.at));
  const input = options.lines ? requireNoInput(args[1]) : await readPayload(args[1], 'The input');
  return withStore(
    options,
    async (session) => {
      const target = await findTask(args[0] ?? '', options, session, out);
      if (options.lines) return enqueueLines(session.longshore, target, enqueueOptions(options), out);
      return enqueueOne(session, target, input, call);
    },
    { create: true },
  );
}

async function enqueueOne(
  { longshore }: Session,
  target: AnyTask | string,
  input: unknown,
  { options, out }: Call<EnqueueCliOptions>,
): Promise<number> {
  const task = typeof target === 'string' ? target : target.name;
  const given = { ...enqueueOptions(options), ...(options.wait ? { awaited: true } : {}) };
  const job = await longshore.enqueue(target as string, input, given);
  const { id, status } = job;
  const at = options.at === undefined ? {} : { at: options.at.toISOString() };
  if (!options.wait) {
    if (out.json) out.document({ id, status, task, ...at });
    else out.print(id);
    if (typeof target === 'string' && process.stderr.isTTY && !out.json)
      out.say('The input was not checked; --tasks FOLDER would.');
    if (status !== 'created' && !out.json)
      out.say(`The job ${status === 'existing' ? 'was there already' : 'took the new values'}.`);
    return 0;
  }
  if (!out.json) out.say(`Waits for job ${id}.`);
  const result = await job.result(options.timeout === undefined ? {} : { timeoutMs: options.timeout });
  if (out.json) out.document({ id, status, task, ...at, state: 'completed', result: result ?? null });
  else if (result !== undefined) out.print(JSON.stringify(result, null, process.stdout.isTTY ? 2 : 0));
  return 0;
}

/** The task itself where its code is at hand, for its schema and defaults; else its name. */
export async function findTask(
  name: string,
  options: Pick<EnqueueCliOptions, 'tasks'>,
  { config }: Pick<Session, 'config'>,
  out: Output,
): Promise<AnyTask | string> {
  const paths = taskPaths(options.tasks, config);
  if (paths === null) return name;
  const tasks = (await loadTasks(paths)).map(({ task }) => task);
  const task = tasks.find((one) => one.name === name);
  if (task !== undefined) return task;
  const near = nearest(
    name,
    tasks.map((one) => one.name),
  );
  out.say(
    `${out.paintMessage('yellow', 'warning:')} task ${show(name)} is not among the ${counted(tasks.length, 'task')} found, so its input is not checked.${near === null ? '' : ` Did you mean ${near}?`}`,
  );
  return name;
}

function enqueueOptions(options: EnqueueCliOptions): EnqueueOptions {
  const { queue, priority, delay, at, attempts, key } = options;
  const unique = uniqueOptions(options);
  return {
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(delay === undefined ? {} : { delayMs: delay }),
    ...(at === undefined ? {} : { at }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(key === undefined ? {} : { key }),
    ...(unique === null ? {} : { unique }),
  };
}

function uniqueOptions(options: EnqueueCliOptions): UniqueOptions | null {
  const { unique: key, uniqueMode: mode, uniqueScope: scope } = options;
  const { uniquePeriod: periodMs, uniqueMaxWait: maxWaitMs } = options;
  const given = {
    ...(key === undefined ? {} : { key }),
    ...(mode === undefined ? {} : { mode }),
    ...(scope === undefined ? {} : { scope }),
    ...(periodMs === undefined ? {} : { periodMs }),
    ...(maxWaitMs === undefined ? {} : { maxWaitMs }),
  };
  return Object.keys(given).length === 0 ? null : given;
}

/** As it was understood: in local time, with its distance from UTC. */
function atText(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  const zone = `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
  return `Not before ${absoluteTime(at.getTime())} ${zone} (${relativeTime(at.getTime(), Date.now())}).`;
}

function requireNoInput(input: string | undefined): void {
  if (input !== undefined && input !== '-')
    throw new UsageError('With --lines the inputs come from standard input; leave out the input.');
}
