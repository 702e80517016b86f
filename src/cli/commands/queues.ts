import type { Command } from 'commander';
import { JOB_STATES, type JobState } from '../../core/job-state.ts';
import { ALL_QUEUES } from '../../queue/queues.ts';
import type { QueueRecord } from '../../store/store.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { STATE_FORMATS } from '../job-columns.ts';
import { limitsText } from '../limits-text.ts';
import { withStore } from '../session.ts';
import type { Column } from '../table.ts';
import { relativeTime } from '../text.ts';

export const queues: CliCommand = { define, run };

function define(command: Command): void {
  examples(
    command,
    'longshore queues',
    "longshore queues --json | jq '.queues[] | select(.counts.failed > 0).name'",
  );
}

async function run({ options, out }: Call): Promise<number> {
  const records = await withStore(options, ({ longshore }) => longshore.queues.list());
  if (out.json) {
    out.document({ queues: records });
    return 0;
  }
  const all = records.find(({ name }) => name === ALL_QUEUES);
  const named = records.filter(({ name }) => name !== ALL_QUEUES);
  if (all?.pausedAt != null)
    out.say(out.paintMessage('yellow', 'All queues are paused; longshore resume --all ends that.'));
  if (named.length === 0) out.say('No queues: nothing was enqueued yet.');
  else out.table(columns(Date.now()), named);
  return 0;
}

/** The states a narrow screen can do without, the least needed last. */
const DROPPED: readonly JobState[] = ['completed', 'scheduled', 'cancelled'];

function columns(now: number): Column<QueueRecord>[] {
  const counts = JOB_STATES.map(
    (state): Column<QueueRecord> => ({
      title: state.toUpperCase(),
      value: ({ counts }) => String(counts[state]),
      align: 'right',
      format: ({ counts }) => (counts[state] === 0 ? 'dim' : STATE_FORMATS[state]),
      optional: DROPPED.indexOf(state) + 1,
    }),
  );
  const paused: Column<QueueRecord> = {
    title: 'PAUSED',
    value: ({ pausedAt }) => (pausedAt === null ? '' : relativeTime(pausedAt, now)),
    format: () => 'yellow',
  };
  const limits: Column<QueueRecord> = {
    title: 'LIMITS',
    value: (queue) => limitsText(queue),
    flexible: true,
    optional: 3,
  };
  return [{ title: 'QUEUE', value: ({ name }) => name }, ...counts, paused, limits];
}
