import type { JobState } from '../../core/job-state.ts';
import { type JobChange, settle as rule, type SettleSubject } from '../../core/settle-rule.ts';
import { idBytes, readId } from './record.ts';
import type { Argument } from './request.ts';
import type { Session } from './session.ts';
import { HOLDER } from './settle.ts';
import { stateNumber, stateOf } from './states.ts';

/**
 * Jobs that their worker does not settle: it retires, or fell silent. The settle rule is asked here, about what
 * lua/held.lua has read; lua/give-back.lua writes its answer where the job is still as it was.
 */
export interface HeldSubject extends SettleSubject {
  readonly id: string;
  readonly batch: number;
  readonly queue: string;
  readonly task: string;
}

/** Out of what held.lua answers. */
export function subjectsOf(answer: unknown): HeldSubject[] {
  return (answer as [Buffer, number, number, number, number, number, Buffer, Buffer][]).map(
    ([id, batch, attempt, attemptsMax, crashes, cancel, queue, task]) => ({
      id: readId(id),
      batch,
      attempt,
      attemptsMax,
      crashes,
      cancelRequested: cancel === 1,
      queue: queue.toString(),
      task: task.toString(),
    }),
  );
}

export interface GiveBack {
  readonly move: 'release' | 'expire';
  /** Worker to take out of the registry. */
  readonly forget: string | null;
  readonly now: number;
}

/** The state of each subject afterwards; null where it was no longer as it was read, and was left alone. */
export async function giveBack(
  { scripts }: Session,
  { move, forget, now }: GiveBack,
  subjects: readonly HeldSubject[],
  changes: readonly JobChange[],
): Promise<(JobState | null)[]> {
  const args: Argument[] = [move, forget ?? ''];
  for (const [index, subject] of subjects.entries()) {
    const replaced =
      move === 'release' ? rule({ ...subject, replacedBy: HOLDER }, { type: 'released' }, now) : undefined;
    args.push(idBytes(subject.id), metJson(subject, changes[index] as JobChange, replaced));
  }
  const { values } = await scripts.run('give-back', now, args);
  return (values[0] as number[]).map((state) => (state < 0 ? null : stateOf(state)));
}

function metJson(
  { batch, attempt, crashes, cancelRequested: cancel }: SettleSubject & { batch: number },
  change: JobChange,
  replaced: JobChange | undefined,
): string {
  return JSON.stringify({
    batch,
    attempt,
    crashes,
    cancel,
    change: changeJson(change),
    replaced: replaced && changeJson(replaced),
  });
}

function changeJson({ state, attempt, crashes, dueAt, finishedAt, result, error }: JobChange): object {
  return {
    state: stateNumber(state),
    attempt,
    crashes,
    dueAt,
    finishedAt,
    result: result ?? undefined,
    error: error === undefined ? undefined : JSON.stringify(error),
  };
}
