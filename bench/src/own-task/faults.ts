import { CheckFailed } from '../ledger.ts';
import { type ErrorCode, LongshoreError } from '../longshore.ts';

/**
 * Why a cell gave no figures, as data, and in words with what to do about it. The program of a cell tells the fault; the
 * command tells the user.
 */
export interface CellFault {
  readonly kind: FaultKind;
  /** A clause: what happened. */
  readonly message: string;
  readonly stack: string | null;
}

export type FaultKind =
  /** The handler threw. */
  | 'threw'
  /** The input does not match the task's schema. */
  | 'refused'
  | 'hung'
  /** The handler ended the thread or process that it ran in. */
  | 'ended'
  | 'snoozed'
  /** A thread or process cannot import the task. */
  | 'unloadable'
  /** A job was lost, or ran twice. */
  | 'miscounted'
  /** Anything else. */
  | 'failed';

const CODES: Readonly<Record<Exclude<FaultKind, 'miscounted' | 'failed'>, ErrorCode>> = {
  threw: 'JOB_FAILED',
  refused: 'INPUT_INVALID',
  hung: 'JOB_TIMED_OUT',
  ended: 'LANE_CRASHED',
  snoozed: 'JOB_SUSPENDED',
  unloadable: 'TASK_MODULE_UNLOADABLE',
};

const REMEDIES: Readonly<Record<FaultKind, string>> = {
  threw: 'Give an input for which the handler succeeds (--input), or mend it: only completed jobs are timed.',
  refused: "Give an input that the task's schema takes: --input '{…}'.",
  hung: 'A job may take longer with --job-timeout 5m. To see what it waits for, run one by longshore enqueue and longshore work --next.',
  ended: 'Look for process.exit, native code that aborts, and errors that nobody catches.',
  snoozed:
    'Give inputs for which it neither sleeps nor puts itself off: such a job is not under way all the time.',
  unloadable:
    'Put the task into a file of its own that exports it and starts nothing when it is imported. On the event loop alone it can be measured as it is: --strategy async.',
  miscounted: 'So there are no figures. Run it again; should it stay so, please report it with this text.',
  failed: 'No figures are given.',
};

/** The error that the command ends with. `where`: the cell, in words. */
export function errorOf({ kind, message, stack }: CellFault, task: string, where: string): Error {
  const text = `Task '${task}', ${where}: ${message.replace(/\.$/, '')}.\n${REMEDIES[kind]}`;
  if (kind === 'miscounted' || kind === 'failed') return new CheckFailed(text);
  const error = new LongshoreError(CODES[kind], text, { details: { task, where, cause: message } });
  if (stack !== null) error.stack = `${text}\n${stack}`;
  return error;
}

interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: string | null;
}

const KINDS: Readonly<Record<string, FaultKind>> = {
  TASK_MODULE_UNLOADABLE: 'unloadable',
  LANE_CRASHED: 'ended',
  LANE_OUT_OF_MEMORY: 'ended',
  INPUT_INVALID: 'refused',
  JOB_TIMED_OUT: 'hung',
  JOB_HEARTBEAT_MISSED: 'hung',
};

/** The fault that the error of an attempt, or of the preparation of a cell, stands for. */
export function faultOf({ name, message, code, stack = null }: ErrorFacts, otherwise: FaultKind): CellFault {
  const kind = KINDS[String(code)] ?? otherwise;
  return { kind, message: kind === 'threw' ? `its handler threw ${name}: ${message}` : message, stack };
}
