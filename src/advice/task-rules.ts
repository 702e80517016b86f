import type { TaskProfile } from '../store/store.ts';
import { counted, ms, number, percent } from './amounts.ts';
import type { Advice, TaskFacts } from './facts.ts';

/** Rules about a task: pure functions of what is known of it. */

/** Jobs measured before a choice rests on them, as for the strategy `auto`. */
const SAMPLES_MIN = 5;
/** Finished jobs before rates and waits mean anything. */
export const FINISHED_MIN = 20;
/** How `auto` says that threads cannot have a task (execution/routes.ts). */
const PINNED = 'not importable';
const HEAVY_SHARE = 0.5;

export function strategyAdvice({ task, profiles, workers }: TaskFacts): Advice {
  const base = { about: 'task', name: task, setting: 'strategy' } as const;
  if (workers === 0) {
    const why = 'No worker that is alive has this task.';
    return {
      ...base,
      verdict: 'unknown',
      text: `Not known yet: start a worker with it. ${COMPARE}`,
      why,
      paste: null,
    };
  }
  const measured = best(profiles);
  if (measured === null) return { ...base, verdict: 'unknown', ...unmeasured(task, profiles) };
  const { busyMs, wallMs, samples, lane: own, reason } = measured;
  const share = wallMs <= 0 ? 0 : Math.min(1, busyMs / wallMs);
  const figures = `A job keeps its event loop busy for ${ms(busyMs)} of ${ms(wallMs)} (${percent(share)}; ${counted(samples, 'job')} measured).`;
  if (reason.startsWith(PINNED) && share >= HEAVY_SHARE)
    return {
      ...base,
      verdict: 'change',
      text: 'Let threads import it: move it to a file of its own that exports it.',
      why: `${figures} It runs on the event loop all the same, since it is ${reason.replace(/\.$/, '')}.`,
      paste: null,
    };
  // The strategy auto chose this lane by what it measured.
  const light = own === 'inline';
  const elsewhere = profiles.filter(({ lane }) => (lane === 'inline') !== light);
  const place = light ? 'the event loop' : 'threads';
  if (elsewhere.length === 0)
    return { ...base, verdict: 'keep', text: `Runs where it belongs: ${place}.`, why: figures, paste: null };
  const gain = light
    ? 'A thread costs more than it gains.'
    : 'On the event loop it keeps other jobs of the worker waiting.';
  const lanes = [...new Set(elsewhere.map(({ lane }) => lane))].join(' and ');
  return {
    ...base,
    verdict: 'change',
    text: `Run it ${light ? 'on the event loop' : 'in threads'}, not ${lanes}.`,
    why: `${figures} ${gain}`,
    paste: taskOption(task, light ? 'async' : 'thread'),
  };
}

function unmeasured(task: string, profiles: readonly TaskProfile[]): Pick<Advice, 'text' | 'why' | 'paste'> {
  const why = `No jobs of it were measured: ${reasons(profiles)}.`;
  if (profiles.some(({ reason }) => reason === AUTO_STARTS))
    return { text: `Not known yet: ${SAMPLES_MIN} of its jobs have to run first.`, why, paste: null };
  return {
    text: `Not known: only the strategy auto measures. ${COMPARE}`,
    why,
    paste: taskOption(task, 'auto'),
  };
}

/** The reason of a task with the strategy `auto`, until it is measured (execution/routes.ts). */
const AUTO_STARTS = 'not measured yet';

const COMPARE = 'longshore bench FILE compares all strategies on this machine.';

/** By the most jobs measured. */
function best(profiles: readonly TaskProfile[]): TaskProfile | null {
  const enough = profiles.filter(({ samples }) => samples >= SAMPLES_MIN);
  return enough.reduce<TaskProfile | null>(
    (found, one) => (found === null || one.samples > found.samples ? one : found),
    null,
  );
}

function reasons(profiles: readonly TaskProfile[]): string {
  const told = [...new Set(profiles.map(({ lane, reason }) => `${lane}, since ${reason}`))];
  return told.length === 0 ? 'its workers tell nothing of it' : `it runs ${told.join('; ')}`;
}

function taskOption(task: string, strategy: string): string {
  return `defineTask({ name: '${task}', strategy: '${strategy}', … })`;
}

/** By Little's law: jobs that run at a time are those that come in the time of one. */
export function slotsAdvice(facts: TaskFacts): Advice {
  const { task, workers, slots, slotsUsed, finished, ready } = facts;
  const base = { about: 'task', name: task, setting: 'slots' } as const;
  const { jobs, runMs, waitMs, perSecond } = finished;
  if (jobs < FINISHED_MIN || perSecond === null || workers === 0)
    return { ...base, verdict: 'unknown', ...tooLittle(facts) };
  const used = (perSecond * runMs.p50) / 1_000;
  const why =
    `${number(perSecond)} jobs/s of ${ms(runMs.p50)} keep ${number(used)} slots busy; ${counted(workers, 'worker')} with this task: ${counted(slots, 'slot')}, ${slotsUsed} used now. ` +
    `Jobs waited ${ms(waitMs.p50)} (p99 ${ms(waitMs.p99)}), and ${ready} are ready in its queues.`;
  const waits = waitMs.p99 > Math.max(WAIT_MS, 2 * runMs.p50) && ready > 0;
  const full = slotsUsed >= FULL * slots;
  if (waits && full) return { ...base, verdict: 'change', why, ...moreSlots(facts) };
  if (waits)
    return {
      ...base,
      verdict: 'change',
      text: 'Jobs wait although slots are free: a limit, a pause, a key or a full pool of threads holds them. longshore why ID tells of one job.',
      why,
      paste: null,
    };
  const text =
    used < slots * IDLE
      ? `Leave them: there are enough. For this task alone ${Math.max(1, Math.ceil(used * SPARE))} would do.`
      : 'Leave them: there are enough.';
  return { ...base, verdict: 'keep', text, why, paste: null };
}

const WAIT_MS = 1_000;
const FULL = 0.9;
const IDLE = 0.25;
/** Room for bursts. */
const SPARE = 2;

/** More of them where jobs wait for something else, more machines where they compute. */
function moreSlots({ profiles, workers, slots }: TaskFacts): Pick<Advice, 'text' | 'paste'> {
  const measured = best(profiles);
  const heavy =
    measured === null
      ? profiles.every(({ lane }) => lane !== 'inline')
      : measured.busyMs >= measured.wallMs / 2;
  if (heavy)
    return {
      text: 'More machines: its jobs compute, and more at a time would only take turns on the same cores.',
      paste: null,
    };
  const each = Math.ceil((2 * slots) / workers);
  return {
    text: `Twice as many slots, ${each} in each worker, or let them follow the load with the tuner.`,
    paste: `longshore.worker({ tasks, concurrency: ${each} });  // or tuner: { targetCpu: 0.9, slotsMin: ${Math.ceil(slots / workers)} }`,
  };
}

/** The default adapts, so there is one case for less: quick jobs that are held behind slow ones. */
export function prefetchAdvice(facts: TaskFacts): Advice {
  const { task, workers, finished } = facts;
  const base = { about: 'task', name: task, setting: 'prefetch' } as const;
  const { jobs, runMs } = finished;
  if (jobs < FINISHED_MIN) return { ...base, verdict: 'unknown', ...tooLittle(facts) };
  const why = `Jobs take ${ms(runMs.p50)}, and 1 of 100 longer than ${ms(runMs.p99)}.`;
  const uneven = runMs.p50 < PREFETCHED_MS && runMs.p99 > SLOW_MS && runMs.p99 > UNEVEN * runMs.p50;
  if (uneven && workers > 1)
    return {
      ...base,
      verdict: 'change',
      text: 'Hold fewer jobs ready: quick ones wait behind slow ones in one worker while another is free.',
      why,
      paste: 'longshore.worker({ tasks, prefetchMax: 0 });',
    };
  const text =
    runMs.p50 >= PREFETCHED_MS
      ? 'Leave it: of jobs as slow as these none is held ready.'
      : 'Leave it: the worker holds as many ready as it runs during one claim.';
  return { ...base, verdict: 'keep', text, why, paste: null };
}

/** Jobs of this time or less are prefetched (worker/prefetch.ts). */
const PREFETCHED_MS = 100;
const SLOW_MS = 1_000;
const UNEVEN = 20;

function tooLittle({
  finished: { jobs, perSecond },
  workers,
}: TaskFacts): Pick<Advice, 'text' | 'why' | 'paste'> {
  const had =
    workers === 0
      ? 'No worker that is alive has this task.'
      : jobs >= FINISHED_MIN && perSecond === null
        ? `Its last ${counted(jobs, 'job')} ended within too short a time.`
        : `The store has ${counted(jobs, 'completed job')} of it; a figure needs ${FINISHED_MIN}.`;
  return {
    text: 'Not known yet: ask again when more jobs have run, or keep completed jobs for longer.',
    why: had,
    paste: null,
  };
}
