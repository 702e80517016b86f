import { formatDuration } from '../core/duration.ts';
import type { RunHandle } from '../flow/run-handle.ts';
import type { RunDetail, StepView } from '../flow/run-view.ts';
import type { Output } from './output.ts';
import { stepStateText } from './run-columns.ts';
import { printable } from './text.ts';

/** How often a run that is waited for is looked at. */
const LOOK_MS = 500;

/**
 * Resolves to the run's result, and says what its steps do meanwhile, wherever they run. Rejects as RunHandle.result does:
 * RUN_FAILED, RUN_CANCELLED, RESULT_TIMEOUT.
 */
export async function followRun(
  handle: RunHandle,
  {
    look,
    timeoutMs,
    out,
  }: {
    readonly look: () => Promise<RunDetail | null>;
    readonly timeoutMs: number | undefined;
    readonly out: Output;
  },
): Promise<unknown> {
  const said = new Map<string, string>();
  const tell = async (): Promise<void> => {
    const run = await look();
    for (const step of run?.steps ?? []) {
      const text = run === null ? '' : progressText(step, run);
      if (text === '' || said.get(step.name) === text) continue;
      said.set(step.name, text);
      out.say(`${printable(step.name)}: ${text}`);
    }
  };
  const ended = handle.ended(timeoutMs === undefined ? {} : { timeoutMs });
  // It may give up while the run is being looked at.
  ended.catch(() => undefined);
  for (let over = false; !over && !out.json; ) {
    await tell();
    const pause = Promise.withResolvers<void>();
    const timer = setTimeout(pause.resolve, LOOK_MS);
    over = await Promise.race([ended.then(() => true), pause.promise.then(() => false)]);
    clearTimeout(timer);
  }
  await ended;
  if (!out.json) await tell();
  return handle.result();
}

/** Nothing for a step that has not begun. */
function progressText(step: StepView, run: RunDetail): string {
  const { startedAt, endedAt, items } = step;
  if (step.state === 'pending' || (step.state === 'skipped' && run.endedAt === null)) return '';
  const count = items === null ? '' : `, ${items.completed + items.failed} of ${items.of}`;
  const took = startedAt === null || endedAt === null ? '' : ` after ${formatDuration(endedAt - startedAt)}`;
  return `${stepStateText(step, run)}${count}${took}`;
}
