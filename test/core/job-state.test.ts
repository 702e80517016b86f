import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  allows,
  isTerminal,
  JOB_STATES,
  type JobMove,
  type JobState,
  LIVE_STATES,
  statesThatAllow,
  TERMINAL_STATES,
  TRANSITIONS,
  WAITING_STATES,
} from '../../src/core/job-state.ts';
import { holds } from './check.ts';

const MOVES = [...new Set(JOB_STATES.flatMap((state) => Object.keys(TRANSITIONS[state]) as JobMove[]))];

test('a move is allowed exactly where the table has it', () => {
  const states = fc.constantFrom(...JOB_STATES);
  holds(states, fc.constantFrom(...MOVES), states, (from, move, to) => {
    const row: Readonly<Partial<Record<JobMove, readonly JobState[]>>> = TRANSITIONS[from];
    assert.equal(allows(from, move, to), row[move]?.includes(to) === true);
    assert.equal(statesThatAllow(move).includes(from), row[move] !== undefined);
  });
});

test('a terminal state is left by redrive and resolve only', () => {
  for (const state of TERMINAL_STATES)
    for (const move of Object.keys(TRANSITIONS[state]))
      assert.ok(move === 'redrive' || move === 'resolve', move);
});

test('a completed job is never changed again', () => {
  assert.deepEqual(TRANSITIONS.completed, {});
});

test('a job starts to run from ready only, and only by a claim', () => {
  for (const state of JOB_STATES)
    for (const move of MOVES)
      assert.equal(allows(state, move, 'running'), state === 'ready' && move === 'claim');
});

test('from every state that lives, each terminal state can be reached', () => {
  for (const state of LIVE_STATES) {
    const reached = new Set<JobState>([state]);
    for (const from of reached) for (const to of Object.values(TRANSITIONS[from]).flat()) reached.add(to);
    for (const end of TERMINAL_STATES) assert.ok(reached.has(end), `${state} can become ${end}`);
  }
});

test('live and terminal states are all states; waiting ones are those that live and do not run', () => {
  assert.deepEqual([...LIVE_STATES, ...TERMINAL_STATES], [...JOB_STATES]);
  assert.deepEqual(JOB_STATES.filter(isTerminal), [...TERMINAL_STATES]);
  assert.deepEqual(
    LIVE_STATES.filter((state) => state !== 'running'),
    [...WAITING_STATES],
  );
});

test('docs/state-machine.md has the very table, and draws each of its moves', async () => {
  const page = await readFile(new URL('../../docs/state-machine.md', import.meta.url), 'utf8');
  const rows = JOB_STATES.flatMap((from) =>
    Object.entries(TRANSITIONS[from]).map(([move, to]) => `${from} ${move} ${to.join(', ')}`),
  );
  const table = [...page.matchAll(/^\| `(\w+)` +\| `(\w+)` +\| ([^|]+?) +\|/gm)];
  assert.deepEqual(
    table.map(([, from, move, to]) => `${from} ${move} ${to?.replaceAll('`', '')}`).sort(),
    [...rows].sort(),
  );
  const drawn = [...page.matchAll(/^ +(\w+) --> (\w+): (.+)$/gm)].flatMap(([, from, to, moves]) =>
    (moves ?? '').split(', ').map((move) => `${from} ${move} ${to}`),
  );
  const moves = JOB_STATES.flatMap((from) =>
    Object.entries(TRANSITIONS[from]).flatMap(([move, ends]) => ends.map((to) => `${from} ${move} ${to}`)),
  );
  assert.deepEqual(drawn.sort(), moves.sort());
});
