import type { VerbsFigures } from '../commands/verbs.ts';
import { line } from './line.ts';
import type { Recorded } from './recorded.ts';

/** What jobs that are not plain cost the store. */
export function kindsTable(recorded: Recorded): string {
  const rows = STORES.map(({ name, label }) => {
    const { kinds } = recorded.document<VerbsFigures>(`verbs-${name}`);
    const cells = KINDS.map(({ kind }) => {
      const { enqueueMicros, finishMicros } = kinds[kind];
      return `${micros(enqueueMicros.median)} / ${micros(finishMicros.median)}`;
    });
    return line([label, ...cells]);
  });
  const { settings, startedAt, machine } = recorded.document<Heading>(`verbs-${STORES[0].name}`);
  const load =
    machine.loadBefore > LOAD_QUIET
      ? `, a load of ${machine.loadBefore.toFixed(1)} before, so not quiet`
      : '';
  return [
    `Jobs that are not plain cost the store more. This is the time of the store's verbs alone, without client and worker, in µs a`,
    `job: to enqueue it / to claim and settle it, in batches of ${settings.batch} (${startedAt.slice(0, 10)}${load}).`,
    '',
    line(['', ...KINDS.map(({ label }) => label)]),
    line(['---', ...KINDS.map(() => '---')]),
    ...rows,
  ].join('\n');
}

interface Heading {
  readonly settings: { readonly batch: number };
  readonly startedAt: string;
  readonly machine: { readonly loadBefore: number };
}

const LOAD_QUIET = 1;

const STORES = [
  { name: 'sqlite', label: 'SQLite' },
  { name: 'postgres', label: 'PostgreSQL' },
  { name: 'redis', label: 'Redis' },
  { name: 'memory', label: 'memory' },
] as const;

const KINDS = [
  { kind: 'plain', label: 'plain' },
  { kind: 'delayed', label: 'delayed by 1 ms' },
  { kind: 'unique', label: 'with a unique key' },
  { kind: 'key', label: 'with one of 100 keys' },
] as const;

function micros(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}
