import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Sabotage } from '../ledger.ts';
import { inFreshPlace } from '../open-site.ts';
import type { OwnTaskSettings, Window } from '../programs/own-task.ts';
import { ProgramEnded, run } from '../runner.ts';
import type { Site } from '../site.ts';
import type { Cell, CellEnd } from './cell.ts';
import type { CellFault } from './faults.ts';
import type { ProfileSettings } from './profiler.ts';

/** The settings that all cells of a measurement share. */
export interface Subject {
  /** URL of the module that exports the task. */
  readonly module: string;
  readonly task: string;
  readonly inputs: readonly unknown[];
  readonly jobTimeoutMs: number;
  readonly cores: number;
  readonly sabotage: Sabotage | null;
}

/** `window` null: each input once, one after the other. */
export interface CellRun {
  readonly cell: Cell;
  readonly window: Window | null;
  readonly profile?: ProfileSettings;
}

/** Runs one cell in a process and on a store of its own. Rejects when the user interrupts. */
export function runCell(
  { cell, window, profile }: CellRun,
  subject: Subject,
  { workspace, signal }: Bench,
  site: Site,
): Promise<CellEnd> {
  return inFreshPlace(site, async ({ url }) => {
    const { inputs, ...rest } = subject;
    const settings: OwnTaskSettings = {
      ...rest,
      cell,
      window,
      profile: profile ?? null,
      url,
      inputs: window === null ? inputs.slice(0, TRIED_MAX) : inputs,
      marksFile: join(workspace.folder, 'marks'),
    };
    const timeoutMs =
      (profile === undefined ? 1 : PROFILE_TIMES) * GRACE_MS +
      timeOf(window, subject, settings.inputs.length);
    try {
      return await run<CellEnd>('own-task', settings, { timeoutMs, signal, group: true, quiet: true });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ProgramEnded) return { fault: faultOfEnd(error, subject) };
      throw error;
    }
  });
}

/** Inputs that the trial tries. */
const TRIED_MAX = 5;
/** To start and to stop. */
const GRACE_MS = 20_000;
/** A heap snapshot takes seconds. */
const PROFILE_TIMES = 5;

/** Twice the longest job: one that runs while the timed part ends, and one that ran when it began. */
function timeOf(window: Window | null, { jobTimeoutMs }: Subject, inputs: number): number {
  if (window === null) return jobTimeoutMs * inputs;
  return window.limitMs * 1.5 + jobTimeoutMs * 2;
}

function faultOfEnd({ timedOut, how, message }: ProgramEnded, { jobTimeoutMs }: Subject): CellFault {
  if (timedOut)
    return {
      kind: 'hung',
      message: `its handler keeps the event loop and has not ended within ${jobTimeoutMs / 1_000} s`,
      stack: null,
    };
  return how === null
    ? { kind: 'failed', message, stack: null }
    : { kind: 'ended', message: `its handler ended the process it ran in (${how})`, stack: null };
}
