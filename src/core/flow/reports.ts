import { type DecideStep, type StepData, stepNamed } from './data.ts';
import type { Draft } from './draft.ts';
import { CANCEL, CANCEL_AND_UNDO, type PartName, parsePart, parseSignal } from './names.ts';
import { holds, withIndex, withoutIndex } from './ranges.ts';
import { type ItemsState, isLive, KEPT, SIGNALS_MAX, type StepError, type StepState } from './run.ts';

/** How something that belongs to a run ended, or a signal to it. */
export interface RunReport {
  /** Grows with every report to the plan; one that comes twice has the same. */
  readonly no: number;
  /** As in the job's plan reference (names.ts). */
  readonly as: string;
  readonly state: 'completed' | 'failed' | 'cancelled' | 'told';
  /** Encoded. */
  readonly result: string | null;
  readonly error: StepError | null;
}

/** Takes in reports, each once, in the order in which they came. */
export function applyReports(draft: Draft, reports: readonly RunReport[]): void {
  const pages = new Map<string, [number, string | null][]>();
  let last = -1;
  for (const report of [...reports].sort((one, other) => one.no - other.no)) {
    if (report.no === last) continue;
    last = report.no;
    applyReport(draft, report, pages);
  }
  for (const [name, entries] of pages) addPage(draft, name, entries);
}

function applyReport(draft: Draft, report: RunReport, pages: Map<string, [number, string | null][]>): void {
  const signal = parseSignal(report.as);
  if (signal !== null) {
    keepSignal(draft, signal, report.result);
    return;
  }
  if (report.as === CANCEL || report.as === CANCEL_AND_UNDO) {
    askToCancel(draft, report);
    return;
  }
  const part = parsePart(report.as);
  const step = part === null ? undefined : stepNamed(draft.flow, part.step);
  const state = step === undefined ? undefined : draft.state(step.name);
  if (part === null || step === undefined || state === undefined) return;
  if (part.kind === 'u') {
    undoEnded(draft, state, part, report);
    return;
  }
  if (step.kind === 'each') {
    itemEnded(step, { state, part, report }, pages);
    return;
  }
  // A dead letter that was redriven, while a person was to decide: the step goes on.
  const revived = state.is === 'failed' && state.blocked === true && report.state === 'completed';
  if (part.gen !== state.gen || (!isLive(state) && !revived)) return;
  delete state.blocked;
  if (step.kind === 'loop') {
    turnEnded(draft, step, state, report);
    return;
  }
  jobEnded(draft, step, state, report);
}

function jobEnded(draft: Draft, step: StepData, state: StepState, report: RunReport): void {
  if (report.state !== 'completed') {
    endUnhappily(draft, step, state, report);
    return;
  }
  draft.keep(KEPT.resultOf(step.name), report.result);
  if (step.kind !== 'decide') {
    draft.move(step, 'completed');
    return;
  }
  const chose = chosenBy(step, draft.decoded(KEPT.resultOf(step.name)));
  if ('fault' in chose) draft.fail(step, chose.fault);
  else draft.move(step, 'completed', { chose: chose.branches });
}

type Chosen = { readonly branches: readonly string[] } | { readonly fault: StepError };

/** The branches that a decision's result names. */
export function chosenBy({ name, branches }: Pick<DecideStep, 'name' | 'branches'>, result: unknown): Chosen {
  const chose = branchesIn(result);
  const unknown = chose?.find((branch) => !branches.includes(branch));
  if (chose !== null && unknown === undefined) return { branches: chose };
  return { fault: wrongChoice(name, branches, unknown) };
}

/** A text, a list of texts, or null and `none` for none; null for anything else. */
function branchesIn(result: unknown): readonly string[] | null {
  if (result === null || result === undefined || result === 'none') return [];
  if (typeof result === 'string') return [result];
  return Array.isArray(result) && result.every((branch) => typeof branch === 'string') ? result : null;
}

function wrongChoice(step: string, branches: readonly string[], unknown: string | undefined): StepError {
  const expected = `one of ${branches.map((name) => `'${name}'`).join(', ')}, a list of them, or null for none`;
  const got = unknown === undefined ? 'something else' : `'${unknown.slice(0, 100)}'`;
  return {
    name: 'LongshoreError',
    code: 'FLOW_BRANCH_UNKNOWN',
    message: `Step '${step}' chose ${got}; expected ${expected}.`,
  };
}

function endUnhappily(draft: Draft, step: StepData, state: StepState, report: RunReport): void {
  // The step was asked to stop, because the run ends: how it ended says nothing of its own.
  if (state.halt === 'cancelled') draft.move(step, 'cancelled');
  else draft.fail(step, report.error ?? endedAs(step.name, report.state));
}

function endedAs(step: string, state: string): StepError {
  return {
    name: 'LongshoreError',
    code: 'JOB_CANCELLED',
    message: `The job of step '${step}' was ${state}.`,
  };
}

/** The cursor is in the result; the next job starts where this one ended (launch.ts). */
function turnEnded(draft: Draft, step: StepData, state: StepState, report: RunReport): void {
  if (report.state !== 'completed') {
    endUnhappily(draft, step, state, report);
    return;
  }
  const part = parsePart(report.as);
  const turns = state.turns ?? 0;
  if (part?.index !== turns) return;
  draft.keep(KEPT.resultOf(step.name), report.result);
  state.turns = turns + 1;
  if (state.halt !== undefined) return void draft.move(step, state.halt);
  const cursor = cursorIn(draft.decoded(KEPT.resultOf(step.name)));
  if (cursor === null) draft.move(step, 'completed');
  else state.is = 'waiting';
}

/** What the next job of a loop gets; null when there is none. */
export function cursorIn(result: unknown): unknown {
  if (typeof result !== 'object' || result === null) return null;
  return (result as { cursor?: unknown }).cursor ?? null;
}

interface Item {
  readonly state: StepState;
  readonly part: PartName;
  readonly report: RunReport;
}

function itemEnded(step: StepData, item: Item, pages: Map<string, [number, string | null][]>): void {
  const { state, part, report } = item;
  const { items } = state;
  if (items === undefined || part.gen !== state.gen) return;
  const failedBefore = holds(items.failed, part.index);
  if (!isLive(state) && !(state.blocked && failedBefore)) return;
  // A dead letter that was redriven reports once more; it was counted when it failed.
  if (!failedBefore) items.live -= 1;
  if (report.state === 'completed') {
    items.completed += 1;
    items.failed = withoutIndex(items.failed, part.index);
    if (state.blocked && items.failed.length === 0) {
      // The last one that stood in the way: the step goes on as if none had failed.
      state.is = 'running';
      for (const field of ['blocked', 'error', 'to'] as const) delete state[field];
    }
    if (step.used && report.result !== null) {
      const entries = pages.get(step.name) ?? [];
      entries.push([part.index, report.result]);
      pages.set(step.name, entries);
    }
  } else {
    items.failed = withIndex(items.failed, part.index);
    if (step.failure !== 'continue' && state.error === undefined) {
      const error = report.error ?? endedAs(step.name, report.state);
      state.error = { ...error, message: `Item ${part.index}: ${error.message}`.slice(0, 500) };
    }
  }
}

/** Pages of larger fan-outs lie beside the value, which every end reads and writes. */
const INLINE_ITEMS_MAX = 10;

function addPage(draft: Draft, name: string, entries: readonly (readonly [number, string | null])[]): void {
  const items = draft.state(name)?.items as ItemsState;
  const place = items.of <= INLINE_ITEMS_MAX ? 'anywhere' : 'beside';
  draft.keep(KEPT.page(name, items.pages), JSON.stringify(entries), place);
  items.pages += 1;
}

function undoEnded(draft: Draft, state: StepState, part: PartName, report: RunReport): void {
  if (state.undo?.is !== 'running' || state.undo.gen !== part.gen) {
    if (state.undo?.is !== 'failed' || report.state !== 'completed') return;
  }
  state.undo = { gen: part.gen, is: report.state === 'completed' ? 'completed' : 'failed' };
  if (report.state !== 'completed' && report.error !== null) state.error = report.error;
  draft.orders.moves.push({
    step: part.step,
    to: report.state === 'completed' ? 'undone' : 'failed',
    error: report.error,
  });
}

function keepSignal(draft: Draft, name: string, payload: string | null): void {
  if (draft.run.phase === 'ended') return;
  const [first, last] = draft.run.signals[name] ?? [1, 0];
  draft.keep(KEPT.signal(name, last + 1), payload);
  draft.run.signals[name] = [last + 1 - first >= SIGNALS_MAX ? first + 1 : first, last + 1];
}

/** The parent run is being stopped. */
function askToCancel(draft: Draft, report: RunReport): void {
  if (draft.run.phase !== 'forward') return;
  draft.run.verdict = 'cancelled';
  draft.run.compensates = report.as === CANCEL_AND_UNDO;
  draft.run.reason = report.error?.message ?? 'its parent run was stopped';
}
