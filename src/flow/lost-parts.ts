import type { FlowData, StepData } from '../core/flow/data.ts';
import { type PartName, parsePart, partText } from '../core/flow/names.ts';
import { holds } from '../core/flow/ranges.ts';
import { KEPT, parseRun, type RunValue, type StepState } from '../core/flow/run.ts';
import { isTerminal } from '../core/job-state.ts';
import type { DuePlan, Report } from '../store/plans.ts';
import type { Store } from '../store/store.ts';
import { childId, endOfRun, jobIdOf, runKey } from './run-plan.ts';

/**
 * A run looks after its jobs every hour (run-check.ts): where one ended or vanished and its report is missing, because a record was
 * damaged or somebody deleted rows, the run gets that report here. Otherwise it would wait for ever.
 */
export interface CheckMeans {
  readonly store: Store;
  readonly run: RunValue;
  readonly flow: FlowData;
  readonly now: number;
}

/** The plan as it is now, and the reports that are missing. */
export async function findLost(
  plan: DuePlan,
  means: CheckMeans,
): Promise<{ plan: DuePlan; lost: readonly Report[] }> {
  const lost: Report[] = [];
  for (const step of means.flow.steps) {
    const state = means.run.steps[step.name];
    if (state !== undefined) lost.push(...(await lostOfStep(plan, step, state, means)));
  }
  if (lost.length === 0) return { plan, lost };
  // An end that came after the plan was read has its report by now: a store writes both in one commit.
  const [fresh] = (await means.store.duePlans({ keys: [plan.key], limit: 1 })).plans;
  if (fresh === undefined || fresh.version !== plan.version || fresh.more) return { plan, lost: [] };
  const told = new Set(fresh.reports.map(({ as }) => as));
  return { plan: fresh, lost: lost.filter(({ as }) => !told.has(as)) };
}

async function lostOfStep(
  plan: DuePlan,
  step: StepData,
  state: StepState,
  means: CheckMeans,
): Promise<readonly Report[]> {
  const { name, kind } = step;
  if (state.undo?.is === 'running') return lostJobs([partText('u', name, state.undo.gen)], means);
  if (state.is !== 'running') return [];
  if (kind === 'flow') return lostChild(name, state.gen, means);
  if (kind === 'loop') return lostJobs([partText('i', name, state.gen, state.turns ?? 0)], means);
  if (kind !== 'each') return lostJobs([partText('s', name, state.gen)], means);
  return means.now - plan.updatedAt < BUSY_MS ? [] : lostItems(name, state, means);
}

/** Reports of jobs that have ended; of those that are gone, with no job. */
async function lostJobs(parts: readonly string[], { store, run, now }: CheckMeans): Promise<Report[]> {
  const ids = parts.map((as) => jobIdOf(run, as));
  const found = await store.get(ids);
  const lost: Report[] = [];
  for (const [index, as] of parts.entries()) {
    const job = found[index] ?? null;
    const id = ids[index] as string;
    if (job === null) lost.push({ ...reportOf(as, now), error: goneError(as, now) });
    else if (isTerminal(job.state)) {
      const { state, result, attempt, startedAt } = job;
      const error = state === 'failed' ? ((await store.trail(id))?.errors.at(-1) ?? null) : null;
      lost.push({ ...reportOf(as, now), job: id, state, result, attempt, startedAt, error });
    }
  }
  return lost;
}

/**
 * A fan-out keeps how many of its jobs have not ended, but not which: jobs that failed are told from those that were
 * counted; of jobs that are gone or completed, as many are missing as the count says, and they count as gone.
 */
async function lostItems(name: string, { gen, items }: StepState, means: CheckMeans): Promise<Report[]> {
  if (items === undefined || items.live === 0) return [];
  const failed: Report[] = [];
  const others: Report[] = [];
  let missing = items.live;
  for (let from = 0; from < items.of; from += ITEMS_AT_A_TIME) {
    const indexes = Array.from(
      { length: Math.min(ITEMS_AT_A_TIME, items.of - from) },
      (_, nth) => from + nth,
    );
    const begun = indexes.filter((index) => !holds(items.todo, index));
    const lost = await lostJobs(
      begun.map((index) => partText('i', name, gen, index)),
      means,
    );
    missing -= begun.length - lost.length;
    for (const report of lost) {
      const { index } = parsePart(report.as) as PartName;
      const isFailed = report.job !== null && report.state !== 'completed';
      if (isFailed && !holds(items.failed, index)) failed.push(report);
      else if (!isFailed && !holds(items.failed, index) && others.length < items.live) others.push(report);
    }
  }
  return [...failed, ...others].slice(0, Math.max(0, missing));
}

async function lostChild(step: string, gen: number, { store, run, now }: CheckMeans): Promise<Report[]> {
  const as = partText('s', step, gen);
  const found = await store.plan(runKey(childId(run.id, { step, gen })), [KEPT.result]);
  if (found === null) return [{ ...reportOf(as, now), error: goneError(as, now) }];
  const child = readable(found.value);
  // Nobody can decide on it any more.
  if (child === null) return [{ ...reportOf(as, now), error: goneError(as, now) }];
  if (child.phase !== 'ended') return [];
  return [{ ...reportOf(as, now), ...endOfRun(child, found.kept[KEPT.result] ?? null) }];
}

function readable(value: string): RunValue | null {
  try {
    return parseRun(value);
  } catch {
    return null;
  }
}

let given = 0;

/** Its number is above those of stores. */
function reportOf(as: string, at: number): Report {
  given = (given + 1) % NUMBERS;
  const no = Number.MAX_SAFE_INTEGER - NUMBERS + given;
  return {
    no,
    plan: '',
    as,
    state: 'failed',
    result: null,
    error: null,
    job: null,
    attempt: 0,
    startedAt: null,
    at,
  };
}

function goneError(as: string, at: number): Report['error'] {
  const { step } = parsePart(as) as PartName;
  const message = `What ran step '${step}' is gone from the store or damaged, and how it ended is not known.`;
  return { attempt: 0, at, name: 'LongshoreError', message, stack: null, code: 'STORE_CORRUPT' };
}

const NUMBERS = 1_000_000;
const ITEMS_AT_A_TIME = 1_000;
/** A fan-out of which jobs ended a moment ago is not stuck. */
const BUSY_MS = 60_000;
