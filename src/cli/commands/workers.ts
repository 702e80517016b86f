import type { Command } from 'commander';
import type { WorkerRecord } from '../../store/store.ts';
import { type Call, type CliCommand, examples } from '../command.ts';
import { withStore } from '../session.ts';
import type { Column } from '../table.ts';
import { relativeTime } from '../text.ts';

export const workers: CliCommand = { define, run };

function define(command: Command): void {
  examples(
    command,
    'longshore workers',
    "longshore workers --json | jq '[.workers[] | select(.alive)] | length'",
  );
}

async function run({ options, out }: Call): Promise<number> {
  const records = await withStore(options, ({ longshore }) => longshore.workers());
  if (out.json) out.document({ workers: records });
  else if (records.length === 0) out.say('No workers. Start one: longshore work --tasks FOLDER');
  else out.table(columns(Date.now()), records);
  return 0;
}

function columns(now: number): Column<WorkerRecord>[] {
  return [
    { title: 'WORKER', value: ({ id }) => id },
    {
      title: 'STATE',
      value: ({ alive }) => (alive ? 'alive' : 'dead'),
      format: ({ alive }) => (alive ? 'green' : 'red'),
    },
    { title: 'SLOTS', value: ({ slots }) => String(slots), align: 'right' },
    { title: 'HOLDS', value: ({ running }) => String(running), align: 'right' },
    { title: 'HOST', value: ({ host, pid }) => `${host}:${pid}`, flexible: true, optional: 1 },
    { title: 'STARTED', value: ({ startedAt }) => relativeTime(startedAt, now), optional: 5 },
    { title: 'SEEN', value: ({ seenAt }) => relativeTime(seenAt, now) },
    { title: 'VERSION', value: ({ version }) => version, optional: 6 },
    { title: 'QUEUES', value: ({ queues }) => queues.join(', '), flexible: true, optional: 2 },
    { title: 'TASKS', value: ({ tasks }) => tasks.join(', '), flexible: true, optional: 3 },
  ];
}
