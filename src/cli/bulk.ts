import type { Command } from 'commander';
import type { Longshore } from '../connect.ts';
import type { JobState } from '../core/job-state.ts';
import type { ActionOptions, ActionReport, Jobs } from '../queue/jobs.ts';
import type { Criteria, Selection } from '../queue/selection.ts';
import type { Call, CliCommand } from './command.ts';
import { examples } from './command.ts';
import { requireState } from './commands/jobs.ts';
import { confirm } from './confirm.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import type { Output } from './output.ts';
import { withStore } from './session.ts';
import { stdinLines } from './stdin.ts';
import { counted, printable } from './text.ts';
import { list } from './values.ts';
import { whoAmI } from './who.ts';

/** What cancel, redrive, resolve and remove have in common: which jobs, who asks and why, and how it is reported. */
export interface BulkAction<Options> {
  readonly verb: string;
  /** As in "3 jobs cancelled". */
  readonly past: string;
  /** States the action takes when it takes all; others may be asked for where the action allows them. */
  readonly states: readonly JobState[];
  /** Whether it asks before it takes all, and if so, whether it can be undone. */
  readonly asks: 'no' | 'yes' | 'for good';
  readonly define?: (command: Command) => void;
  readonly examples: readonly string[];
  readonly act: (
    jobs: Jobs,
    selection: Selection,
    audit: ActionOptions,
    options: Options,
  ) => Promise<ActionReport>;
}

export interface BulkOptions {
  readonly queue?: string;
  readonly task?: string;
  readonly state?: readonly JobState[];
  readonly correlationId?: string;
  readonly tag?: string;
  readonly all?: true;
  readonly yes?: true;
  readonly by?: string;
  readonly why?: string;
}

export function bulkCommand<Options>(action: BulkAction<Options>): CliCommand<Options & BulkOptions> {
  return {
    define: (command) => define(command, action),
    run: (call) => run(call, action),
  };
}

function define<Options>(command: Command, action: BulkAction<Options>): void {
  command
    .argument('[ids...]', 'ids of jobs; - reads them from standard input, one a line')
    .option(
      '--all',
      `every job this is possible for (${action.states.join(', ')}), narrowed by the next options`,
    )
    .option('-q, --queue <name>', 'with --all: only this queue')
    .option('-t, --task <name>', 'with --all: only this task')
    .option('-s, --state <state>', 'with --all: only these states, repeated or with commas', list)
    .option('--correlation-id <id>', 'with --all: only jobs with this correlation id')
    .option('--tag <tag>', 'with --all: only jobs with this tag')
    .option('-y, --yes', action.asks === 'no' ? 'accepted, not needed' : 'do not ask')
    .option('--by <who>', 'for the audit trail (default: user@host)')
    .option('--why <reason>', 'for the audit trail');
  action.define?.(command);
  examples(command, ...action.examples);
}

async function run<Options>(call: Call<Options & BulkOptions>, action: BulkAction<Options>): Promise<number> {
  const { options, out } = call;
  const ids = await readIds(call.args);
  const selection = requireSelection(ids, options, action.verb);
  const audit: ActionOptions = {
    by: options.by ?? whoAmI(),
    ...(options.why === undefined ? {} : { why: options.why }),
  };
  return withStore(options, async ({ longshore }) => {
    if (action.asks !== 'no' && ids.length === 0 && !options.yes) {
      const count = await countJobs(longshore.jobs, selection as Criteria, action.states);
      const finality = action.asks === 'for good' ? ' for good' : '';
      if (count !== null && !(await confirm(`${capital(action.verb)} ${count}${finality}?`, out)))
        return EXIT.failed;
    }
    const report = await action.act(longshore.jobs, selection, audit, options);
    await record(longshore, { verb: action.verb, ids, options, report });
    tell(report, action, out);
    const complete = report.refused.length === 0 && report.unknown.length === 0;
    return complete && report.done.length + report.requested.length > 0 ? EXIT.done : EXIT.failed;
  });
}

/** In the list of the whole store; each job has it in its own trail, as long as the job is kept. */
async function record(
  { audit }: Pick<Longshore, 'audit'>,
  acted: {
    readonly verb: string;
    readonly ids: readonly string[];
    readonly options: BulkOptions;
    readonly report: ActionReport;
  },
): Promise<void> {
  const { verb, ids, options, report } = acted;
  const { queue, task, state, by = whoAmI(), why = null } = options;
  const did = { done: report.done.length, requested: report.requested.length };
  if (did.done + did.requested === 0) return;
  const target = ids.length === 1 ? (ids[0] as string) : null;
  const given = ids.length === 0 ? { queue, task, state } : { ids };
  await audit.record({ by, action: `${verb}Jobs`, target, why, details: { given, did } });
}

async function readIds(args: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const arg of args) {
    if (arg !== '-') ids.push(arg);
    else for await (const { text } of stdinLines()) ids.push(text);
  }
  if (args.length > 0 && ids.length === 0) throw new UsageError('Standard input holds no ids.');
  return [...new Set(ids)];
}

function requireSelection(ids: readonly string[], options: BulkOptions, verb: string): Selection {
  const { queue, task, state, correlationId, tag, all } = options;
  const filters = {
    ...(queue === undefined ? {} : { queue }),
    ...(task === undefined ? {} : { task }),
    ...(state === undefined ? {} : { states: state.map(requireState) }),
    ...(correlationId === undefined ? {} : { correlationId }),
    ...(tag === undefined ? {} : { tag }),
  };
  if (ids.length > 0) {
    if (all || Object.keys(filters).length > 0)
      throw new UsageError(
        'Give either ids or --all with --queue, --task, --state, --correlation-id and --tag, not both.',
      );
    return ids;
  }
  if (all) return { all, ...filters };
  throw new UsageError(
    Object.keys(filters).length > 0
      ? `Add --all to ${verb} every job that matches.`
      : `Which jobs? Give ids (longshore ${verb} ID…), or --all, narrowed by --queue, --task, --state, --correlation-id or --tag.`,
  );
}

const COUNT_MAX = 1_000;

async function countJobs(
  jobs: Jobs,
  { all: _, state, states: several, ...filters }: Criteria,
  states: readonly JobState[],
): Promise<string | null> {
  const page = await jobs.list({ ...filters, state: several ?? state ?? states, limit: COUNT_MAX });
  if (page.jobs.length === 0) return null;
  return page.cursor === null ? counted(page.jobs.length, 'job') : `more than ${COUNT_MAX} jobs`;
}

function tell(report: ActionReport, action: Pick<BulkAction<never>, 'verb' | 'past'>, out: Output): void {
  const { done, requested, refused, unknown } = report;
  if (out.json) out.document(report);
  else {
    if (done.length > 0) out.print(`${counted(done.length, 'job')} ${action.past}`);
    if (requested.length > 0) out.print(`${counted(requested.length, 'running job')} asked to stop`);
  }
  for (const { id, state } of refused)
    out.say(`${out.paintMessage('red', 'JOB_STATE_REFUSED:')} cannot ${action.verb} ${id}: it is ${state}.`);
  for (const id of unknown)
    out.say(`${out.paintMessage('red', 'JOB_UNKNOWN:')} there is no job ${printable(id)}.`);
  if (done.length + requested.length + refused.length + unknown.length === 0) out.say('No job matches.');
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
