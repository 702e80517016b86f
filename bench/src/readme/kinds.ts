import type { VerbsFigures } from '../commands/verbs.ts';
import type { Recorded } from './recorded.ts';

/** What jobs that are not plain cost the store, and what wears a queue down: tables and sentences of the README. */
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

export function wearText(recorded: Recorded): string {
  const sqlite = recorded.document<{
    readonly ratio: Record<'waiting' | 'finished', { readonly claim: number }>;
  }>('claim-cost-sqlite');
  const postgres = recorded.document<{
    readonly settings: { readonly finished: number; readonly repeat: number };
    readonly rates: Record<'longshore', Record<'finished', { readonly median: number }>>;
    readonly ratio: Record<'longshore', Record<'finished' | 'snapshot', { readonly median: number }>> &
      Record<'graphile-worker', Record<'snapshot', { readonly median: number }>>;
  }>('claim-cost-postgres');
  const { longshore, 'graphile-worker': rival } = postgres.ratio;
  const rate = Math.round(postgres.rates.longshore.finished.median / 1_000).toLocaleString('en');
  const runs =
    postgres.settings.repeat === 1 ? 'one run each' : `medians of ${postgres.settings.repeat} runs`;
  return [
    `What wears a queue down: with a million jobs waiting or finished a claim on SQLite takes ${sqlite.ratio.waiting.claim.toFixed(2)} and ${sqlite.ratio.finished.claim.toFixed(2)} times as long as with a`,
    `thousand. On PostgreSQL a queue was emptied at ${longshore.finished.median.toFixed(2)} times its rate after ${postgres.settings.finished / 1e6} million finished jobs, ${rate},000 jobs/s, and at ${longshore.snapshot.median.toFixed(2)}`,
    `times while another session held an old snapshot all the time, where graphile-worker kept ${rival.snapshot.median.toFixed(2)} (${runs}).`,
  ].join('\n');
}

function micros(value: number): string {
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
}
