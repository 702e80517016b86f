import type { ComponentChildren, JSX } from 'preact';
import type { Problem } from './api.ts';
import type { Loaded } from './live.ts';
import { ago, exact } from './words.ts';

/** What several screens are made of. */
export function Screen({ title, tools, children }: ScreenGiven): JSX.Element {
  document.title = `${title} · Longshore`;
  return (
    <>
      <div class="title">
        <h1 tabIndex={-1}>{title}</h1>
        <div class="tools">{tools}</div>
      </div>
      {children}
    </>
  );
}

interface ScreenGiven {
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Panel({ title, children, id }: { title: string; children: ComponentChildren; id?: string }) {
  const name = id ?? title.replaceAll(/\W+/g, '-').toLowerCase();
  return (
    <section class="panel" aria-labelledby={`panel-${name}`}>
      <h2 id={`panel-${name}`}>{title}</h2>
      {children}
    </section>
  );
}

/** What was loaded, or why it is not there. An answer that is old stays, with a line that says so. */
export function Shown<Data>({ of, children }: { of: Loaded<Data>; children: (data: Data) => JSX.Element }) {
  if (of.data === null)
    return of.problem === null ? <Loading /> : <Fault problem={of.problem} retry={of.reload} />;
  return (
    <>
      {of.problem !== null && <Fault problem={of.problem} retry={of.reload} />}
      {children(of.data)}
    </>
  );
}

function Loading() {
  return (
    <p class="empty" aria-busy="true">
      Loading…
    </p>
  );
}

export function Fault({ problem, retry }: { problem: Problem; retry: () => void }) {
  return (
    <div class="fault" role="alert">
      <p>
        {problem.message} <code>{problem.code}</code>
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Colour and word: the colour alone says nothing. */
export function State({ is }: { is: string }) {
  return <span class={`state state-${is}`}>{is}</span>;
}

export function Time({ at }: { at: number | null }) {
  if (at === null) return <span class="faint">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at)}>
      {ago(at)}
    </time>
  );
}

export function Facts({ of }: { of: readonly (readonly [name: string, value: ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {of.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A table that becomes a list of cards on a phone: each cell then has its column's name. */
export function Table<Row>({ label, columns, rows, keyOf, toneOf }: TableGiven<Row>) {
  return (
    <div class="table">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ name, number }) => (
              <th key={name} scope="col" class={number ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class={toneOf?.(row)}>
              {columns.map(({ name, number, wide, show }) => (
                <td key={name} data-name={name} class={number ? 'number' : wide ? 'wide' : undefined}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export interface Column<Row> {
  readonly name: string;
  readonly number?: boolean;
  /** On a phone it has a line of its own. */
  readonly wide?: boolean;
  readonly show: (row: Row) => ComponentChildren;
}

interface TableGiven<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** A class for the row. */
  readonly toneOf?: (row: Row) => string | undefined;
}
