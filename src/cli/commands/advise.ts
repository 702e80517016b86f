import type { Command } from 'commander';
import { adviseOn } from '../../advice/advice.ts';
import { collect } from '../../advice/collect.ts';
import type { Advice } from '../../advice/facts.ts';
import { FINISHED_MIN } from '../../advice/task-rules.ts';
import { LongshoreError, show } from '../../core/errors.ts';
import type { Format } from '../../telemetry/terminal.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import type { Output } from '../output.ts';
import { withStore } from '../session.ts';
import { counted, printable, wrapped } from '../text.ts';

interface Options {
  readonly task?: string;
}

export const advise: CliCommand<Options> = { define, run };

function define(command: Command): void {
  command.option('--task <name>', 'only this task, and its queues');
  command.addHelpText(
    'after',
    '\nReads what workers measured and how the last jobs ran; changes nothing. To try all strategies on this machine: longshore bench FILE',
  );
  examples(command, 'longshore advise', 'longshore advise --task thumbnail', CHANGES);
}

const CHANGES = `longshore advise --json | jq '.advice[] | select(.verdict == "change")'`;

async function run({ options, out }: Call<Options>): Promise<number> {
  const task = options.task ?? null;
  const facts = await withStore(options, ({ longshore }) => collect(longshore, task, Date.now()));
  if (task !== null && facts.tasks.length === 0)
    throw new LongshoreError(
      'TASK_UNKNOWN',
      `No worker that is alive has task ${show(task)}, and no completed job of it is kept. Run longshore workers to see the tasks there are.`,
      { details: { task } },
    );
  const advice = adviseOn(facts);
  if (out.json) out.document({ advice, facts });
  else tell(advice, out);
  return 0;
}

const MARKS: Readonly<Record<Advice['verdict'], readonly [Format, string]>> = {
  change: ['yellow', 'change'],
  keep: ['green', 'keep'],
  unknown: ['dim', 'unknown'],
};

function tell(advice: readonly Advice[], out: Output): void {
  if (advice.length === 0) {
    out.say('There is nothing to advise on: no worker is alive, and no job was completed.');
    return;
  }
  const width = Math.min(process.stdout.columns ?? WIDTH_MAX, WIDTH_MAX);
  const unknown = unknownTasks(advice);
  let heading = '';
  for (const { about, name, setting, verdict, text, why, paste } of advice) {
    if (about === 'task' && unknown.includes(name)) continue;
    if (heading !== `${about} ${name}`) {
      out.print(`${heading === '' ? '' : '\n'}${out.paint('bold', `${about} ${printable(name)}`)}`);
      heading = `${about} ${name}`;
    }
    const [format, mark] = MARKS[verdict];
    out.print(`  ${setting.padEnd(SETTING_WIDTH)}${out.paint(format, mark)}`);
    out.print(wrapped(printable(text), width, INDENT));
    out.print(out.paint('dim', wrapped(printable(why), width, INDENT)));
    if (paste !== null) out.print(`${INDENT}${printable(paste)}`);
  }
  if (unknown.length > 0) {
    const names = unknown.map(printable).join(', ');
    const told = `Too little is known of ${names}: fewer than ${FINISHED_MIN} completed jobs are kept, and none was measured, which the strategy auto does. longshore bench FILE measures a task without any.`;
    out.print(`${heading === '' ? '' : '\n'}${wrapped(told, width)}`);
  }
  const changes = advice.filter(({ verdict }) => verdict === 'change').length;
  out.say(changes === 0 ? 'Nothing needs to be changed.' : `${counted(changes, 'setting')} to change.`);
}

/** Nothing is known of these, so a line for all of them is enough. */
function unknownTasks(advice: readonly Advice[]): string[] {
  const names = new Set(advice.filter(({ about }) => about === 'task').map(({ name }) => name));
  return [...names].filter((task) =>
    advice.every(({ about, name, verdict }) => about !== 'task' || name !== task || verdict === 'unknown'),
  );
}

const WIDTH_MAX = 100;
const SETTING_WIDTH = 11;
const INDENT = '    ';
