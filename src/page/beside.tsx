import type { ComponentChildren } from 'preact';
import { ABSENT, differencesOf } from './differences.ts';
import { type Column, Empty, Panel, Table } from './parts.tsx';
import { Tree } from './tree.tsx';
import { count, plural } from './words.ts';

/** Two of a kind beside each other. What is unlike has a word for it, never the colour alone. */
export interface Pair {
  readonly name: string;
  readonly first: ComponentChildren;
  readonly second: ComponentChildren;
  /** A word for what is unlike; null where nothing is. */
  readonly mark: string | null;
}

export function Beside({ label, pairs }: { label: string; pairs: readonly Pair[] }) {
  return (
    <Table
      label={label}
      columns={PAIR_COLUMNS}
      rows={pairs}
      keyOf={({ name }) => name}
      toneOf={({ mark }) => (mark === null ? 'alike' : 'differs')}
    />
  );
}

const PAIR_COLUMNS: readonly Column<Pair>[] = [
  { name: 'What', wide: true, show: ({ name }) => name },
  { name: 'First', show: ({ first }) => first },
  { name: 'Second', show: ({ second }) => second },
  { name: 'Unlike', wide: true, show: ({ mark }) => <Marks of={mark === null ? [] : [mark]} /> },
];

export function Marks({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="faint">–</span>;
  return (
    <>
      {of.map((mark) => (
        <span key={mark} class="mark">
          {mark}
        </span>
      ))}
    </>
  );
}

/** For facts that are texts: unlike texts are marked. */
export function textPair(name: string, first: string | null, second: string | null): Pair {
  return { name, first: first ?? '–', second: second ?? '–', mark: first === second ? null : 'differs' };
}

interface ValuesGiven {
  readonly title: string;
  readonly first: unknown;
  readonly second: unknown;
}

/** Two JSON values: only what differs is drawn. */
export function ValuesPanel({ title, first, second }: ValuesGiven) {
  const { shown, count: all, same, hidden } = differencesOf(first, second);
  return (
    <Panel title={title}>
      {all === 0 ? (
        <Empty>
          {hidden === 0 ? 'The same in both.' : 'The same in both, as far as it is shown to you.'}
        </Empty>
      ) : (
        <Table
          label={`${title}: what differs`}
          columns={VALUE_COLUMNS}
          rows={shown.map(({ path, before, after }) => ({ path, first: before, second: after }))}
          keyOf={({ path }) => path}
        />
      )}
      {all > 0 && (
        <p class="faint">
          {all > shown.length && `${count(all - shown.length)} more differences. `}
          {same > 0 && `${plural(same, 'value')} the same. `}
          {hidden > 0 && `${plural(hidden, 'value')} hidden.`}
        </p>
      )}
    </Panel>
  );
}

interface ValueRow {
  readonly path: string;
  readonly first: unknown;
  readonly second: unknown;
}

const VALUE_COLUMNS: readonly Column<ValueRow>[] = [
  { name: 'Where', wide: true, show: ({ path }) => <code>{path === '' ? 'the whole' : path}</code> },
  { name: 'First', show: ({ path, first }) => <Value of={first} label={`First ${path}`} /> },
  { name: 'Second', show: ({ path, second }) => <Value of={second} label={`Second ${path}`} /> },
];

function Value({ of, label }: { of: unknown; label: string }) {
  return of === ABSENT ? <span class="faint">not there</span> : <Tree value={of} label={label} />;
}
