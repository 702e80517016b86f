import type { JobStepView } from '../queue/job-steps-view.ts';
import type { Paint } from '../telemetry/terminal.ts';
import { printable } from './text.ts';

/** The durable steps of a job, for people: a line for each that was kept, and what the job waits for. */
export function stepsText(
  steps: readonly JobStepView[],
  time: (at: number) => string,
  { paint, payload }: { readonly paint: Paint; readonly payload: (value: unknown) => string | null },
): string[] {
  if (steps.length === 0) return [];
  const lines = steps.map((step) => {
    const value = payload(step.value);
    const kept = value === null ? '' : ` ${paint('dim', value)}`;
    return step.at === null
      ? `  ${paint('cyan', waitText(step, time))}`
      : `  ${time(step.at)}  ${KEPT[step.state]}${step.kind} ${printable(step.name)}${kept}`;
  });
  return ['', paint('bold', 'steps'), ...lines];
}

const KEPT: Readonly<Record<JobStepView['state'], string>> = {
  kept: '',
  slept: '',
  timedOut: 'timed out: ',
  waiting: '',
};

/** What a job waits for, in a few words. */
export function waitText({ kind, name, until }: JobStepView, time: (at: number) => string): string {
  if (kind === 'sleep') return `sleeps until ${time(until ?? 0)} (${printable(name)})`;
  const deadline = until === null ? 'without a timeout' : `until ${time(until)}`;
  return `waits for signal ${printable(name)}, ${deadline}`;
}
