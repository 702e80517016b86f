import { useState } from 'preact/hooks';
import { count } from './words.ts';

/** A JSON value as a tree that opens by and by: no more is drawn than somebody opened. */
const OPEN_DEPTH = 2;
const SHOWN_MAX = 100;
const TEXT_MAX = 2_000;

export function Tree({ value, label }: { value: unknown; label: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset groups what is filled in.
    <div class="tree" role="group" aria-label={label}>
      <Node value={value} depth={0} />
    </div>
  );
}

function Node({ value, name, depth }: { value: unknown; name?: string; depth: number }) {
  const title = name === undefined ? null : <span class="name">{name}: </span>;
  if (typeof value !== 'object' || value === null)
    return (
      <div class="leaf">
        {title}
        <Leaf value={value} />
      </div>
    );
  const entries = Object.entries(value);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0)
    return (
      <div class="leaf">
        {title}
        {open}
        {close}
      </div>
    );
  return (
    <Branch title={title} entries={entries} depth={depth} marks={`${open}${count(entries.length)}${close}`} />
  );
}

interface BranchGiven {
  readonly title: preact.ComponentChildren;
  readonly entries: readonly [string, unknown][];
  readonly depth: number;
  readonly marks: string;
}

function Branch({ title, entries, depth, marks }: BranchGiven) {
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH && entries.length <= SHOWN_MAX);
  const [shown, setShown] = useState(SHOWN_MAX);
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {title}
        <span class="faint">{marks}</span>
      </summary>
      {isOpen &&
        entries
          .slice(0, shown)
          .map(([name, value]) => <Node key={name} name={name} value={value} depth={depth + 1} />)}
      {isOpen && entries.length > shown && (
        <button type="button" onClick={() => setShown(shown + SHOWN_MAX)}>
          {count(entries.length - shown)} more
        </button>
      )}
    </details>
  );
}

function Leaf({ value }: { value: unknown }) {
  const text = JSON.stringify(value) ?? 'null';
  const [isWhole, setWhole] = useState(text.length <= TEXT_MAX);
  return (
    <>
      <code class={`is-${value === null ? 'null' : typeof value}`}>
        {isWhole ? text : `${text.slice(0, TEXT_MAX)}…`}
      </code>
      {!isWhole && (
        <button type="button" onClick={() => setWhole(true)}>
          all {count(text.length)} characters
        </button>
      )}
    </>
  );
}
